"""What an audit found, and its file ``audit.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.auditing.finding import SEVERITIES, Finding, Severity

FORMAT = 1
"""Version of ``audit.json``. Keys may be added under one version, not renamed or removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The answers to all questions.

    Attributes:
        source: What was audited.
        findings: What is wrong, the gravest first.
        checked: Rules that were asked.
        not_checked: Why the others were not, by rule.
    """

    source: str
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    not_checked: Mapping[str, str]

    @property
    def clean(self) -> bool:
        """Whether nothing was found that makes the numbers unbelievable."""
        return not self.of("error")

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of one severity."""
        return tuple(one for one in self.findings if one.severity == severity)

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``audit.json``."""
        return {
            "format": FORMAT,
            "source": self.source,
            "counts": {severity: len(self.of(severity)) for severity in SEVERITIES},
            "findings": [one.to_json() for one in self.findings],
            "checked": list(self.checked),
            "not_checked": [{"rule": k, "reason": v} for k, v in self.not_checked.items()],
        }

    def write(self, path: str | Path) -> Path:
        """Write ``audit.json``, whole or not at all.

        Raises:
            DataError: It cannot be written.
        """
        text = json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n"
        return write_bytes(Path(path), text.encode())
