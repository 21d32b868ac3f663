"""What the audit of the run found, from ``audit.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survkit.report.page_files import PageFiles
from survkit.report.tables import Table

_ORDER = ("error", "warning", "note")


def audit_section(audit: Mapping[str, Any], files: PageFiles) -> Mapping[str, Any]:
    """Collect the findings, the gravest first, and which rules were and were not checked."""
    findings = sorted(audit["findings"], key=lambda one: _ORDER.index(one["severity"]))
    counts = {kind: sum(one["severity"] == kind for one in findings) for kind in _ORDER}
    table = None
    if findings:
        rows = [
            (one["severity"], one["rule"], one["message"], one["evidence"], one["cure"])
            for one in findings
        ]
        table = files.table(
            Table(
                name="audit",
                title="Findings of the audit",
                caption="What `survkit audit` found in this run.",
                labels=("Severity", "Rule", "What", "Evidence", "What to do"),
                rows=tuple(rows),
                stacked=True,
            )
        )
    return {
        "table": table,
        "said": _said(counts, len(audit["checked"])),
        "checked": audit["checked"],
        "not_checked": [f"{one['rule']}: {one['reason']}" for one in audit["not_checked"]],
        "errors": counts["error"],
    }


def _said(counts: Mapping[str, int], checked: int) -> str:
    found = [f"{n} {kind}{'' if n == 1 else 's'}" for kind, n in counts.items() if n]
    return f"{checked} rules were checked: {', '.join(found) if found else 'nothing was found'}."
