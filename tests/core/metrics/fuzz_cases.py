"""Random cohorts and predictions, and every metric with what it takes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any

import torch
from hypothesis import strategies as st

from survkit.flow import SurvivalTarget
from survkit.metrics import (
    Calibration,
    DCalibration,
    Estimate,
    Undefined,
    adjusted_antolini_concordance,
    antolini_concordance,
    antolini_from_prediction,
    antolini_prediction_statistic,
    antolini_statistic,
    brier_score,
    brier_score_incidence,
    brier_statistic,
    calibration_at,
    calibration_index,
    calibration_index_statistic,
    d_calibration,
    d_calibration_from_prediction,
    dynamic_auc,
    dynamic_auc_statistic,
    harrell_concordance,
    harrell_statistic,
    integrated_brier_score,
    integrated_brier_score_incidence,
    mean_dynamic_auc,
    observed_expected_statistic,
    scaled_brier_score,
    scaled_brier_score_incidence,
    scaled_brier_statistic,
    smooth_calibration,
    uno_concordance,
    uno_statistic,
)
from survkit.nonparametric.aalen_johansen import IncidenceCurves, aalen_johansen
from survkit.nonparametric.breslow import breslow_cumulative_hazard
from survkit.nonparametric.censoring import censoring_survival
from survkit.nonparametric.kaplan_meier import SurvivalCurve, kaplan_meier
from survkit.nonparametric.log_rank import LogRank, log_rank
from survkit.nonparametric.nelson_aalen import CumulativeHazardCurve, nelson_aalen
from survkit.nonparametric.restricted_mean import restricted_mean_survival
from survkit.nonparametric.risk_table import numbers_at_risk
from survkit.prediction import GridPrediction

GRID = (1.0, 2.5, 4.0)


NAN, INFINITE = float("nan"), float("inf")


@dataclass(frozen=True)
class Case:
    """Subjects and what is predicted for them."""

    target: SurvivalTarget
    training: SurvivalTarget
    score: torch.Tensor
    incidence: torch.Tensor

    @property
    def column(self) -> torch.Tensor:
        """Column of each subject's duration on the grid."""
        edges = torch.tensor(GRID, dtype=torch.float64)
        return torch.searchsorted(edges, self.target.duration).clamp(max=len(GRID) - 1)

    @property
    def prediction(self) -> GridPrediction:
        """The incidence of one cause as a typed prediction."""
        knots = torch.tensor(GRID, dtype=torch.float64)
        return GridPrediction(knots, self.incidence[:, None], "linear", known_until=9.0)


Arguments = dict[str, Any]


def ranked(case: Case) -> Arguments:
    return {"risk_score": case.score, "target": case.target}


def weighted(case: Case) -> Arguments:
    return {**ranked(case), "training": case.training}


def timed(case: Case) -> Arguments:
    return {**weighted(case), "times": GRID}


def columns(case: Case) -> Arguments:
    return {"incidence": case.incidence, "column": case.column, "target": case.target}


def typed(case: Case) -> Arguments:
    return {"prediction": case.prediction, "target": case.target}


def incidences(case: Case) -> Arguments:
    both = {"target": case.target, "training": case.training}
    return {"incidence": case.incidence, "times": GRID, **both}


def survivals(case: Case) -> Arguments:
    arguments = incidences(case)
    return {"survival": 1 - arguments.pop("incidence"), **arguments}


def calibrated(case: Case) -> Arguments:
    return {"horizon": 2.5, "predicted": case.incidence[:, 1].contiguous(), "target": case.target}


def own_survival(case: Case) -> Arguments:
    return {"survival": (1 - case.incidence[:, 0]).contiguous(), "target": case.target}


def grouped(case: Case) -> Arguments:
    return {"target": case.target, "group": (case.score > 0).long()}


def lived(case: Case) -> Arguments:
    target = case.target
    given = {"entry": target.entry, "weight": target.weight}
    return {"duration": target.duration, "observed": target.event > 0, **given}


def followed(case: Case) -> Arguments:
    return {**lived(case), "tau": 2.5}


def hazardous(case: Case) -> Arguments:
    return {**lived(case), "log_hazard": case.score}


def competing(case: Case) -> Arguments:
    arguments = lived(case)
    del arguments["observed"]
    return {**arguments, "event": case.target.event}


def followed_training(case: Case) -> Arguments:
    return {"training": case.training}


def seen(case: Case) -> Arguments:
    return {"target": case.target}


METRICS: Mapping[str, tuple[Callable[..., Any], Callable[[Case], Arguments]]] = {
    "harrell": (harrell_concordance, ranked),
    "uno": (uno_concordance, weighted),
    "uno at risk": (partial(uno_concordance, competing="at-risk"), weighted),
    "dynamic auc": (dynamic_auc, timed),
    "dynamic auc, cause-free": (partial(dynamic_auc, controls="cause-free"), timed),
    "mean dynamic auc": (mean_dynamic_auc, timed),
    "antolini": (antolini_concordance, columns),
    "antolini of a prediction": (antolini_from_prediction, typed),
    "adjusted antolini": (adjusted_antolini_concordance, columns),
    "brier": (brier_score, survivals),
    "integrated brier": (integrated_brier_score, survivals),
    "scaled brier": (scaled_brier_score, survivals),
    "brier of a cause": (brier_score_incidence, incidences),
    "integrated brier of a cause": (integrated_brier_score_incidence, incidences),
    "scaled brier of a cause": (scaled_brier_score_incidence, incidences),
    "calibration": (calibration_at, calibrated),
    "calibration index": (calibration_index, calibrated),
    "smooth calibration": (smooth_calibration, calibrated),
    "d-calibration": (d_calibration, own_survival),
    "d-calibration of a prediction": (d_calibration_from_prediction, typed),
    "log-rank": (log_rank, grouped),
    "restricted mean": (restricted_mean_survival, followed),
    "kaplan–meier": (kaplan_meier, lived),
    "nelson–aalen": (nelson_aalen, lived),
    "aalen–johansen": (partial(aalen_johansen, causes=2), competing),
    "breslow": (breslow_cumulative_hazard, hazardous),
    "censoring": (censoring_survival, followed_training),
    "at risk": (partial(numbers_at_risk, times=GRID), seen),
}


STATISTICS: Mapping[str, tuple[Callable[..., Any], Callable[[Case], Arguments]]] = {
    "harrell": (harrell_statistic, ranked),
    "uno": (uno_statistic, weighted),
    "uno at risk": (partial(uno_statistic, competing="at-risk"), weighted),
    "dynamic auc": (dynamic_auc_statistic, timed),
    "antolini": (antolini_statistic, columns),
    "antolini of a prediction": (antolini_prediction_statistic, typed),
    "brier": (brier_statistic, incidences),
    "scaled brier": (scaled_brier_statistic, incidences),
    "calibration index": (calibration_index_statistic, calibrated),
    "observed over expected": (observed_expected_statistic, calibrated),
}


BY_CHECKED_TARGET = {"risk_table", "censoring_survival_replicates", "incidence_replicates"}
"""Inner parts of the others: they take what was checked, and say so."""


RANKS = ("harrell", "uno", "uno at risk", "dynamic auc", "mean dynamic auc", "antolini")


@st.composite
def cases(
    draw: st.DrawFn, *, events: str = "any", constant: bool = False, late: bool = False
) -> Case:
    """Few subjects with many ties in durations, scores and predictions."""
    size = draw(st.integers(1, 12))

    def numbers(low: int, high: int) -> torch.Tensor:
        values = draw(st.lists(st.integers(low, high), min_size=size, max_size=size))
        return torch.tensor(values)

    def subjects() -> SurvivalTarget:
        event = numbers(0, 2)
        if events == "none":
            event = torch.zeros_like(event)
        elif events == "one":
            event = torch.zeros_like(event)
            event[draw(st.integers(0, size - 1))] = 1
        duration = numbers(1, 8).double() / 2 + 0.5
        weight = numbers(1, 3).double() if draw(st.booleans()) else None
        entry = duration * numbers(0, 3) / 4 if late and draw(st.booleans()) else None
        return SurvivalTarget(duration, event, entry, weight)

    target = subjects()
    training = target if draw(st.booleans()) else subjects()
    steps = torch.stack([numbers(0, 3) for _ in GRID], dim=1).double() / 9
    score = numbers(-2, 2).double()
    if constant:
        score, steps = torch.full_like(score, 3.0), torch.full_like(steps, 0.1)
    return Case(target, training, score, steps.cumsum(1))


def check(found: Any) -> None:
    """Refuse anything but finite numbers and reasons."""
    if isinstance(found, tuple):
        for one in found:
            check(one)
    elif isinstance(found, Undefined):
        assert len(found.reason) > 10
        assert "nan" not in found.reason
    elif isinstance(found, Estimate):
        check_estimate(found)
    elif isinstance(found, DCalibration | LogRank):
        assert isfinite(found.statistic)
        assert 0 <= found.p_value <= 1
    elif isinstance(found, torch.Tensor):
        assert bool(found.isfinite().all())
    elif isinstance(found, Calibration):
        check((found.observed_expected, *(group.observed for group in found.groups)))
    else:
        check_curve(found)


def check_estimate(found: Estimate) -> None:
    """Refuse a value or bounds that are no numbers."""
    assert isfinite(found.value)
    assert found.method
    if found.interval is not None:
        assert isfinite(found.interval.lower)
        assert found.interval.lower <= found.interval.upper < INFINITE


def check_curve(found: Any) -> None:
    """Refuse probabilities outside [0, 1] and a cumulative hazard that is no number."""
    if isinstance(found, SurvivalCurve):
        assert bool(((found.survival >= 0) & (found.survival <= 1)).all())
    elif isinstance(found, IncidenceCurves):
        assert bool(((found.incidence >= 0) & (found.incidence <= 1 + 1e-12)).all())
    else:
        assert isinstance(found, CumulativeHazardCurve)
        check((found.cumulative_hazard, found.lower, found.upper))
