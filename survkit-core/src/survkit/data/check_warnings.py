"""What is not wrong but should be looked at before a model is believed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from survkit.data.cohort_config import OutcomeConfig
from survkit.data.modality_config import VolumeModality
from survkit.data.outcome import Outcome, sorted_codes
from survkit.data.problem import Problem
from survkit.data.readers.table import TableSource

FEW_EVENTS = 10
NEAR_ONE = 0.95
LONGEST = {"days": 366.0, "months": 720.0, "years": 60.0}
"""In days some follow-up exceeds a year; in months and years none exceeds 60 years."""
OUTCOME_NAME = re.compile(
    r"death|dead|died|deceas|surviv|recur|relaps|follow_?up|vital|censor|(time|days|months|years)_to"
    r"|(^|_)(os|pfs|rfs|dfs)(_|$)|event",
    re.IGNORECASE,
)


def outcome_warnings(config: OutcomeConfig, outcome: Outcome) -> list[Problem]:
    """Return warnings on units and on causes with few events."""
    problems = []
    usable = outcome.duration[np.isfinite(outcome.duration)]
    longest = float(usable.max(initial=0))
    if config.unit == "days" and 0 < longest <= LONGEST["days"]:
        message = f"the longest duration is {longest:g} days; are these months or years?"
        problems.append(Problem(None, None, config.duration, message, "warning"))
    if config.unit != "days" and longest > LONGEST[config.unit]:
        message = f"the longest duration is {longest:g} {config.unit}; is that a smaller unit?"
        problems.append(Problem(None, None, config.duration, message, "warning"))
    if not (outcome.event == 0).any():
        message = (
            "nobody is censored; if one of the codes means censored, give it as outcome.censored, "
            "or list it under outcome.censor"
        )
        problems.append(Problem(None, None, config.event, message, "warning"))
    for number, code in enumerate(sorted_codes(config), start=1):
        events = int((outcome.event == number).sum())
        if events < FEW_EVENTS:
            message = (
                f"only {events} events of '{config.causes[code]}'; nothing can be learnt of it"
            )
            problems.append(Problem(None, None, config.event, message, "warning"))
    return problems


def grid_warnings(volumes: Mapping[str, VolumeModality]) -> list[Problem]:
    """Return warnings on volumes of one size that are cut round different places."""
    problems = []
    for name, other in combinations(volumes, 2):
        one, two = volumes[name], volumes[other]
        alike = one.size is not None and one.size == two.size
        if alike and not one.crop == two.crop == "center":
            message = (
                f"'{name}' and '{other}' have one size but are cropped each by itself, so their "
                f"voxels are different places of the patient; where a model compares them, "
                f"declare grid: {name} for '{other}'"
            )
            problems.append(Problem(None, None, other, message, "warning"))
    return problems


def table_warnings(name: str, source: TableSource, outcome: Outcome) -> list[Problem]:
    """Return warnings on columns that are constant, or that look like the outcome, or too many."""
    problems = []
    for column in source.order:
        where = f"{name}.{column}"
        if _is_constant(source, column):
            problems.append(Problem(None, None, where, "the column is constant", "warning"))
        if OUTCOME_NAME.search(column):
            message = "the name looks like an outcome, which a model must not see"
            problems.append(Problem(None, None, where, message, "warning"))
        for message in _like_outcome(source, column, outcome):
            problems.append(Problem(None, None, where, message, "warning"))
    events = int((outcome.event[source.available] > 0).sum())
    if events < FEW_EVENTS * len(source.order):
        message = (
            f"{events} events for {len(source.order)} columns "
            f"({events / len(source.order):.1f} per column); expect overfitting without a penalty"
        )
        problems.append(Problem(None, None, name, message, "warning"))
    return problems


def _is_constant(source: TableSource, column: str) -> bool:
    if column in source.categorical:
        return len({cell for cell in source.categorical[column] if cell is not None}) < 2
    values = source.numeric[column]
    return len(np.unique(values[np.isfinite(values)])) < 2


def _like_outcome(source: TableSource, column: str, outcome: Outcome) -> list[str]:
    if column not in source.numeric:
        return []
    values = source.numeric[column]
    event = np.where(outcome.event < 0, np.nan, outcome.event > 0)
    messages = []
    for what, other in (("the duration", outcome.duration), ("having the event", event)):
        correlation = _rank_correlation(values, other)
        if abs(correlation) >= NEAR_ONE:
            messages.append(
                f"the rank correlation with {what} is {correlation:.3f}; is it part of the outcome?"
            )
    return messages


def _rank_correlation(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return Spearman's correlation over pairs that are both known, 0 where it says nothing."""
    both = np.isfinite(left) & np.isfinite(right)
    if both.sum() < FEW_EVENTS:
        return 0.0
    a, b = rankdata(left[both]), rankdata(right[both])
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
