"""What parts of the model warned of while they were trained."""

from __future__ import annotations

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, some

NAME = "part-health"


def _check(evidence: Evidence) -> Answer:
    folds = () if evidence.run is None else evidence.run.folds
    told = [(fold.name, fold.training["health"]) for fold in folds if "health" in fold.training]
    if not told:
        return NotChecked("no part of the model says how it fares")
    warned = [
        f"{name}, {one['module']}, {one['epochs']} epochs: {one['warning']}"
        for name, members in told
        for warnings in members
        for one in warnings
    ]
    if not warned:
        return []
    return [
        Finding(
            rule=NAME,
            severity="warning",
            message="a part of the model warned of itself while it was trained",
            evidence=some(warned, 3),
            cure="see the health in the report; a part that collapsed is not what the recipe says",
        )
    ]


RULE = Rule(
    name=NAME,
    asks="Did a part of the model warn, while it was trained, that something is wrong with it?",
    guard="only what the part itself warned of",
    source="codebooks of which few codes are left in use, unseen in any loss",
    check=_check,
)
