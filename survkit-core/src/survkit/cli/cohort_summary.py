"""What a cohort holds, in a few lines: subjects, events, follow-up, and who has which modality."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from survkit.cli.console import table_console

if TYPE_CHECKING:
    from survkit.data import Cohort


def print_summary(cohort: Cohort) -> None:
    """Print what a cohort without errors holds."""
    from rich.table import Table

    from survkit.data.cohort_summary import group_counts

    console = table_console()
    headline = f"{cohort.name}: {len(cohort)} subjects, {_outcome(cohort)}"
    console.print(headline, soft_wrap=True)
    if cohort.site is not None:
        counted = Counter(cohort.site)
        shown = ", ".join(f"{name} {count}" for name, count in sorted(counted.items())[:8])
        more = f", … ({len(counted)} sites)" if len(counted) > 8 else ""
        console.print(f"sites: {shown}{more}", soft_wrap=True)
    groups = group_counts(cohort)
    if groups is not None:
        said = f"{len(cohort)} {groups['rows_are']} of {groups['n']} {groups['groups_are']}"
        console.print(f"{said} ('{groups['column']}'), which no fold parts", soft_wrap=True)
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("modality", "kind", "subjects with it"):
        grid.add_column(heading)
    for name in cohort.modalities:
        kind = cohort.config.modality(name, source=cohort.source).kind
        grid.add_row(name, kind, f"{int(cohort.available(name).sum())} of {len(cohort)}")
    console.print(grid)


def _outcome(cohort: Cohort) -> str:
    """Count events by cause, and say how long subjects were followed."""
    from survkit.data.cohort_summary import follow_up

    target = cohort.target(range(len(cohort)))
    counts = [
        f"{int((target.event == code).sum())} {name}"
        for code, name in enumerate(cohort.causes, start=1)
    ]
    counts.append(f"{int((target.event == 0).sum())} censored")
    said = f"{', '.join(counts)}; durations {target.duration.min():g} to "
    said += f"{target.duration.max():g} {cohort.time_unit}"
    median = follow_up(cohort).get("median")
    if median is not None:
        said += f", median follow-up {median:g} (reverse Kaplan–Meier)"
    return said
