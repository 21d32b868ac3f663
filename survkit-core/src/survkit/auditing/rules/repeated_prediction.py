"""A subject counts once: several rows of it make n, events and precision larger than they are."""

from __future__ import annotations

from collections import Counter

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, Rule, some

NAME = "repeated-prediction"


def _check(evidence: Evidence) -> Answer:
    table = evidence.table
    rows = np.flatnonzero(table.reported)
    folds: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        key = (table.repeat[row], table.subject[row])
        folds.setdefault(key, []).append(table.fold[row])
    several = {key: found for key, found in folds.items() if len(found) > 1}
    if not several:
        return []
    subjects = sorted({subject for _, subject in several})
    apart = [key for key, found in several.items() if len(set(found)) > 1]
    most = Counter(len(found) for found in several.values()).most_common(1)[0][0]
    return [
        Finding(
            rule=NAME,
            severity="error" if apart else "warning",
            message=(
                f"{len(subjects)} subjects are predicted more than once in a repeat"
                + (", by models of different folds" if apart else "")
            ),
            evidence=(
                f"{some(subjects)}; {len(rows)} rows for {len(folds)} subjects, mostly {most} each"
                + (f"; {len(apart)} subjects in several folds" if apart else "")
            ),
            cure=(
                "split by subject, then average the series of a subject to one prediction before "
                "anything is evaluated"
            ),
        )
    ]


RULE = Rule(
    name=NAME,
    asks="Is a subject predicted more than once in a repeat?",
    guard="repeats are counted apart; rows of training and validation parts are not counted",
    source="pseudoreplication: Hurlbert (1984); several series per subject",
    check=_check,
)
