"""A risk score that runs the wrong way: higher must mean an earlier event."""

from __future__ import annotations

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule
from survkit.auditing.scoring import concordance

NAME = "flipped-sign"
WARNS, PROVES = 2.58, 3.29
"""Standard errors below chance: 99 % and 99.9 %, so that a useless model is not accused."""
FEWEST_EVENTS = 10


def _check(evidence: Evidence) -> Answer:
    table = evidence.table
    findings, asked = [], False
    for cause in table.causes:
        found = concordance(table, table.reported, cause, error=True)
        if found is None or found.events < FEWEST_EVENTS:
            continue
        asked = True
        if found.deviations > -WARNS:
            continue
        findings.append(
            Finding(
                rule=NAME,
                severity="error" if found.deviations <= -PROVES else "warning",
                message=f"the risk score of {cause} runs the wrong way",
                evidence=(
                    f"Harrell's concordance is {found.value:.3f} (standard error "
                    f"{found.error:.3f}), {-found.deviations:.1f} standard errors below chance; "
                    f"{found.events} events in {found.subjects} subjects"
                ),
                cure=(
                    "hand over a score where higher means an earlier event (minus a predicted "
                    "time or survival); decide so from the model, never from the outcome"
                ),
            )
        )
    return findings if asked else NotChecked(f"fewer than {FEWEST_EVENTS} events can be scored")


RULE = Rule(
    name=NAME,
    asks="Is the concordance clearly below 0.5?",
    guard="2.58 standard errors below chance for a warning, 3.29 for an error, 10 events or more",
    source="scikit-survival #498 #383 #95; pycox #33; HECKTOR-2025 baseline (reversed risk sets)",
    check=_check,
)
