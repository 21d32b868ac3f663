"""Whether the reported numbers are those of the predictions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import Any

from survkit.auditing.claims import Claim
from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule
from survkit.auditing.run_files import PREDICTIONS
from survkit.auditing.scoring import concordance
from survkit.errors import UserError
from survkit.evaluation import evaluate
from survkit.evaluation.evaluation import MetricResult
from survkit.metrics import Estimate, Result

NAME = "reported-numbers"
TOLERANCE = 1e-6


def _check(evidence: Evidence) -> Answer:
    if not evidence.claims:
        return NotChecked("no reported numbers are given (--metrics)")
    if evidence.own_claims:
        try:
            return list(_of_run(evidence))
        except UserError as error:
            return NotChecked(f"the predictions cannot be evaluated: {error}")
    return list(_of_table(evidence))


def _of_run(evidence: Evidence) -> Iterator[Finding]:
    """Compare ``metrics.json`` with the predictions evaluated anew."""
    run = evidence.run
    assert run is not None
    found = evaluate(run.folder / PREDICTIONS, replicates=0)
    wrong = []
    for cause, stated in run.metrics["causes"].items():
        computed = found.causes.get(cause)
        for key, one in stated["metrics"].items():
            if computed is None or key not in computed.metrics:
                continue
            for where, said, value in _pairs(one, computed.metrics[key]):
                if (value is None) != (said is None) or (
                    value is not None and said is not None and abs(value - said) > TOLERANCE
                ):
                    told = f"reported {_shown(said)}, computed {_shown(value)}"
                    wrong.append(f"{cause}, {key}{where}: {told}")
    if wrong:
        yield Finding(
            rule=NAME,
            severity="error",
            message="metrics.json is not what the predictions give",
            evidence="; ".join(wrong[:4]) + f" ({len(wrong)} in all)",
            cure="run `survkit evaluate` on the run, and report what it writes",
        )


def _pairs(
    stated: Mapping[str, Any], computed: MetricResult
) -> Iterator[tuple[str, float | None, float | None]]:
    """Yield what was written and what is computed, pooled and fold by fold."""
    yield "", stated["pooled"].get("value"), _value(computed.pooled)
    found = {(one.repeat, one.fold): _value(one.result) for one in computed.folds}
    for one in stated.get("folds", ()):
        key = (one["repeat"], one["fold"])
        yield f", repeat {key[0]}, fold {key[1]}", one.get("value"), found.get(key)


def _value(result: Result) -> float | None:
    return result.value if isinstance(result, Estimate) else None


def _of_table(evidence: Evidence) -> Iterator[Finding]:
    """Compare reported concordances with every usual way of pooling."""
    table = evidence.table
    for claim in evidence.claims:
        cause = claim.cause or table.causes[0]
        if claim.of or claim.kind != "harrell" or cause not in table.causes:
            continue
        ways = _ways(evidence, cause)
        if not ways or not math.isfinite(claim.value) or any(map(claim.equals, ways.values())):
            continue
        shown = ", ".join(f"{name} {value:.4f}" for name, value in ways.items())
        yield from _not_reproduced(claim, shown, ways)


def _not_reproduced(claim: Claim, shown: str, ways: dict[str, float]) -> Iterator[Finding]:
    if any(claim.equals(1 - value) for value in ways.values()):
        yield Finding(
            rule=NAME,
            severity="error",
            message=f"the reported {claim.metric} belongs to the reversed risk score",
            evidence=f"reported {claim.value:g}; computed: {shown}; one minus it is reported",
            cure="fix the direction of the score before the outcome is looked at: higher = earlier",
        )
        return
    yield Finding(
        rule=NAME,
        severity="note",
        message=f"the reported {claim.metric} is not reproduced from the table",
        evidence=f"reported {claim.value:g}; computed: {shown}",
        cure="say how it was computed: which pairs, which subjects, up to which time",
    )


def _ways(evidence: Evidence, cause: str) -> dict[str, float]:
    table, found = evidence.table, {}
    for name, pooled in (("pairs within folds", False), ("all pairs", True)):
        if (one := concordance(table, table.reported, cause, pooled=pooled)) is not None:
            found[name] = one.value
    folds = []
    for key in dict.fromkeys(zip(table.repeat, table.fold, strict=True)):
        rows = table.reported & (table.repeat == key[0]) & (table.fold == key[1])
        if (one := concordance(table, rows, cause)) is not None:
            folds.append(one.value)
    if len(folds) > 1:
        found["mean over folds"] = fmean(folds)
        found["best fold"], found["worst fold"] = max(folds), min(folds)
    return found


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.6f}"


RULE = Rule(
    name=NAME,
    asks="Are the reported numbers those of the predictions?",
    guard=(
        "of foreign tables every usual way of pooling is tried, and a number that none gives is a "
        "note; of runs a difference must exceed 1e-6"
    ),
    source="STAMP PR #132 (orientation picked by score); stale metrics beside new predictions",
    check=_check,
)
