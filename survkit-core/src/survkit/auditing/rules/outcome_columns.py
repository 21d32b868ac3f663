"""Columns that know the outcome, whatever they are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.auditing.evidence import Evidence
from survkit.auditing.features import Features
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule
from survkit.auditing.rules.date_columns import dates_that_give_the_duration
from survkit.auditing.scoring import rank_correlation
from survkit.auditing.table import Floats
from survkit.errors import UserError
from survkit.flow import SurvivalTarget
from survkit.metrics import Estimate, harrell_concordance

NAME = "outcome-columns"
FEWEST, FEWEST_EVENTS = 30, 10
KNOWS, ORDERS, TELLS = 0.95, 0.95, 0.97
"""Rank correlation with the duration; concordance; share of events told from a column."""
WITHIN, EXCEEDS = 0.02, 0.10
"""Share of values above the duration, as found and as expected were they unrelated to it."""
NEAR, FOLLOWS, BY_CHANCE = 0.05, 0.5, 0.2
"""How near to the duration a value lies, for which share of subjects, and at most by chance."""
SLACK = 0.02
"""Of the longest duration: origins of the column and of the duration may differ by days."""
CURE = "leave it out: at time 0, when the prediction is made, it is not known"


def _check(evidence: Evidence) -> Answer:
    features = evidence.features
    if features is None:
        return NotChecked("the columns that the model saw are not known (--features or --cohort)")
    outcomes = evidence.outcomes()
    rows = np.array([k for k, name in enumerate(features.subject) if name in outcomes], dtype=int)
    if len(rows) < FEWEST:
        return NotChecked(f"the outcome of only {len(rows)} subjects with features is known")
    pairs = np.array([outcomes[features.subject[row]] for row in rows])
    duration, event = pairs[:, 0].copy(), pairs[:, 1] > 0
    if event.sum() < FEWEST_EVENTS or (~event).sum() < FEWEST_EVENTS:
        return NotChecked(f"fewer than {FEWEST_EVENTS} subjects with, or without, the event")
    findings: list[Finding] = []
    for name, numbers in features.numeric.items():
        findings += _numeric(name, numbers[rows], duration, event)
    for name, texts in features.categorical.items():
        findings += _categorical(name, texts[rows], event)
    return findings + _dates(features, rows, duration)


def _numeric(
    name: str, values: Floats, duration: Floats, event: NDArray[np.bool_]
) -> Iterator[Finding]:
    known = np.isfinite(values)
    yield from _missing(name, known, event)
    values, duration, event = values[known], duration[known], event[known]
    if len(values) < FEWEST or np.ptp(values) == 0:
        return
    correlation = rank_correlation(values, duration)
    same = float(np.mean(values == duration))
    if same > 0.3 and len(np.unique(duration)) > 10:
        yield _error(name, f"equals the duration of {same:.0%} of the subjects")
    elif abs(correlation) >= KNOWS:
        yield _error(name, f"its rank correlation with the duration is {correlation:.3f}")
    elif (order := _order(values, duration, event)) >= ORDERS:
        yield _error(name, f"it orders the outcome with a concordance of {order:.3f}")
    elif (told := _told([str(value) for value in values], event)) is not None:
        yield _error(name, told)
    elif (near := _near(values, duration)) is not None:
        yield _error(name, near)
    else:
        yield from _never_exceeds(name, values, duration)


def _categorical(name: str, cells: Any, event: NDArray[np.bool_]) -> Iterator[Finding]:
    known = np.array([cell is not None for cell in cells], dtype=bool)
    yield from _missing(name, known, event)
    told = _told([str(cell) for cell in cells], event)
    if told is not None and known.mean() > 0.5:
        yield _error(name, told)


def _missing(name: str, known: NDArray[np.bool_], event: NDArray[np.bool_]) -> Iterator[Finding]:
    """Accuse a column that is filled only for those with (or only for those without) the event."""
    if min(known.sum(), (~known).sum()) < FEWEST_EVENTS:
        return
    agreement = float(np.corrcoef(known.astype(float), event.astype(float))[0, 1])
    if abs(agreement) >= TELLS - 0.02:
        who = "with" if agreement > 0 else "without"
        yield _error(
            name,
            f"it is filled for those {who} the event: {int((known & event).sum())} of "
            f"{int(event.sum())} with, {int((known & ~event).sum())} of {int((~event).sum())} "
            "without",
        )


def _order(values: Floats, duration: Floats, event: NDArray[np.bool_]) -> float:
    """Return the concordance of the column in its better direction."""
    if abs(rank_correlation(values[event], duration[event])) < 0.5:
        return 0.5
    target = SurvivalTarget(torch.from_numpy(duration), torch.from_numpy(event.astype(np.int64)))
    try:
        found = harrell_concordance(torch.from_numpy(values), target)
    except UserError:  # values that no score can have
        return 0.5
    return max(found.value, 1 - found.value) if isinstance(found, Estimate) else 0.5


def _told(cells: list[str], event: NDArray[np.bool_]) -> str | None:
    """Say how well the others with the same value tell whether a subject had the event.

    Leaving the subject out keeps rare values from telling anything.
    """
    total, events = Counter(cells), Counter(c for c, e in zip(cells, event, strict=True) if e)
    right = asked = 0
    for cell, had in zip(cells, event, strict=True):
        others = total[cell] - 1
        if others >= 5:
            asked += 1
            right += ((events[cell] - had) / others > 0.5) == had
    share, common = right / max(asked, 1), max(float(event.mean()), 1 - float(event.mean()))
    if asked < max(FEWEST, 0.8 * len(cells)) or share < TELLS or share - common < 0.05:
        return None
    return f"it tells {share:.0%} of {asked} subjects whether they had the event"


def _near(values: Floats, duration: Floats) -> str | None:
    """Say for how many subjects the value is the duration but for a few percent."""
    share = float(np.mean(np.abs(values - duration) <= NEAR * duration))
    if share < FOLLOWS:
        return None
    random = np.random.default_rng(0)
    shuffled = [random.permutation(duration) for _ in range(5)]
    chance = float(np.mean([np.abs(values - each) <= NEAR * each for each in shuffled]))
    if chance > BY_CHANCE:
        return None
    return f"it lies within {NEAR:.0%} of the duration of {share:.0%} (by chance {chance:.0%})"


def _never_exceeds(name: str, values: Floats, duration: Floats) -> Iterator[Finding]:
    """Find times that follow-up bounds: they lie after baseline."""
    bound = duration + SLACK * float(duration.max())
    above = float(np.mean(values > bound))
    expected = float(np.mean(np.searchsorted(np.sort(bound), values, side="left") / len(bound)))
    spread = (expected * (1 - expected) / len(values)) ** 0.5
    tied = rank_correlation(values, duration)
    if above <= WITHIN and expected >= EXCEEDS and expected - above > 5 * spread and tied > 0.3:
        yield Finding(
            rule=NAME,
            severity="warning",
            message=f"{name} looks like a time within the follow-up",
            evidence=(
                f"{above:.1%} of its values exceed the subject's duration, {expected:.1%} would if "
                f"they were unrelated; rank correlation {tied:.2f}, {len(values)} subjects"
            ),
            cure=CURE,
        )


def _dates(features: Features, rows: NDArray[Any], duration: Floats) -> list[Finding]:
    columns = {name: cells[rows] for name, cells in features.categorical.items()}
    return [
        _error(f"{first} and {second}", f"{second} minus {first} is the duration of {share:.0%}")
        for first, second, share in dates_that_give_the_duration(columns, duration)
    ]


def _error(name: str, evidence: str) -> Finding:
    return Finding(
        rule=NAME,
        severity="error",
        message=f"{name} knows the outcome",
        evidence=evidence,
        cure=CURE,
    )


RULE = Rule(
    name=NAME,
    asks="Does a column determine the duration or the event?",
    guard=(
        "30 subjects, 10 with and 10 without the event; rank correlation or concordance of 0.95, "
        "97 % of events told by others with the same value; strong predictors reach 0.8"
    ),
    source="Kaufman et al. (2012); Kapoor and Narayanan (2023)",
    check=_check,
)
