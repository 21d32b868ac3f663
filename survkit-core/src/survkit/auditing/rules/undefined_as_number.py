"""A metric that could not be computed, reported as a number."""

from __future__ import annotations

from survkit.auditing.claims import Claim
from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule
from survkit.auditing.scoring import concordance
from survkit.auditing.table import Rows

NAME = "undefined-as-number"
SUSPICIOUS = {
    "harrell": (0.0, 0.5, 1.0),
    "uno": (0.0, 0.5, 1.0),
    "antolini": (0.0, 0.5, 1.0),
    "brier": (0.0,),
    "integrated_brier": (0.0,),
}
CLOSE, UNLIKE, FEWEST_EVENTS = 0.02, 0.2, 10
"""How far Harrell's concordance may lie from a reported one, and from one of another kind."""


def _check(evidence: Evidence) -> Answer:
    if not evidence.claims:
        return NotChecked("no reported numbers are given (--metrics)")
    if evidence.own_claims:
        return NotChecked("the numbers are survkit's own; reported-numbers computes them anew")
    findings = []
    for claim in evidence.claims:
        if claim.kind is None or claim.value not in SUSPICIOUS[claim.kind]:
            continue
        reason = _why(claim, evidence)
        if reason:
            of = ", ".join(f"{name} {value}" for name, value in claim.of.items())
            findings.append(
                Finding(
                    rule=NAME,
                    severity="error",
                    message=f"the reported {claim.metric} is exactly {claim.value:g}"
                    + (f" ({of})" if of else ""),
                    evidence=reason,
                    cure="report it as undefined with the reason, and leave it out of averages",
                )
            )
    return findings


def _why(claim: Claim, evidence: Evidence) -> str:
    """Say why the number cannot be; empty where it can."""
    if claim.kind in ("brier", "integrated_brier"):
        return "a Brier score of 0 is a perfect forecast of every subject"
    table = evidence.table
    cause = claim.cause or table.causes[0]
    rows = _rows(claim, evidence)
    if cause not in table.causes or not rows.any():
        return ""
    found = concordance(table, rows, cause)
    if found is None:
        events = int((table.event[rows & table.usable] > 0).sum())
        return f"it is undefined: {int(rows.sum())} rows, {events} events, no comparable pair"
    if claim.kind == "harrell" and abs(found.value - claim.value) > CLOSE:
        return f"computed from the table it is {found.value:.4f}"
    if found.events >= FEWEST_EVENTS and abs(found.value - claim.value) > UNLIKE:
        return f"Harrell's concordance of the same rows is {found.value:.4f}"
    return ""


def _rows(claim: Claim, evidence: Evidence) -> Rows:
    table = evidence.table
    rows = table.reported.copy()
    for name, column in (("repeat", table.repeat), ("fold", table.fold), ("seed", table.repeat)):
        if name in claim.of:
            rows &= column == claim.of[name]
    return rows


RULE = Rule(
    name=NAME,
    asks="Is a reported number exactly 0, 0.5 or 1 where it is undefined or something else?",
    guard="silent where the table gives that number: a tiny fold can be perfect",
    source="SurvPath core_utils.py: a metric that raises is stored as 0, perfect for a Brier score",
    check=_check,
)
