"""A risk score that runs the wrong way: higher must mean an earlier event."""

from __future__ import annotations

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule
from survkit.auditing.scoring import concordance

NAME = "flipped-sign"
WARNS, PROVES = 3.29, 4.0
"""Standard errors below chance, so that a useless model, which cross-validation tends to put a
little below 0.5, is not accused."""
BELOW = 0.45
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
        clear = found.deviations <= -PROVES and found.value < BELOW
        findings.append(
            Finding(
                rule=NAME,
                severity="error" if clear else "warning",
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
    guard="3.29 standard errors below chance for a warning, 4 and a value below 0.45 for an error",
    source="scikit-survival #498 #383 #95; pycox #33; HECKTOR-2025 baseline (reversed risk sets)",
    check=_check,
)
