"""Every public function of metrics and curves, called alike; how it takes weights and entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from survkit import metrics
from survkit.flow import SurvivalTarget, select
from survkit.metrics.estimate import Estimate, Result
from survkit.nonparametric import censoring, incidence_replicates, risk_table
from survkit.nonparametric.aalen_johansen import aalen_johansen
from survkit.nonparametric.breslow import breslow_cumulative_hazard
from survkit.nonparametric.kaplan_meier import kaplan_meier
from survkit.nonparametric.log_rank import LogRank, log_rank
from survkit.nonparametric.nelson_aalen import nelson_aalen
from survkit.nonparametric.restricted_mean import restricted_mean_survival
from survkit.prediction import GridPrediction

TIMES = torch.tensor([2.0, 4.5, 7.0], dtype=torch.float64)
SUBJECTS = 40


@dataclass(frozen=True)
class People:
    """Subjects and what is predicted for them."""

    target: SurvivalTarget
    score: Tensor
    incidence: Tensor

    def rows(self, rows: Tensor) -> People:
        return People(select(self.target, rows), self.score[rows], self.incidence[rows])

    @property
    def plain(self) -> dict[str, Tensor]:
        """Duration, observed event, entry and weight as the curves take them."""
        target = self.target
        fields = {"entry": target.entry, "weight": target.weight}
        given = {name: value for name, value in fields.items() if value is not None}
        return {"duration": target.duration, "observed": target.event == 1, **given}

    @property
    def column(self) -> Tensor:
        return torch.searchsorted(TIMES, self.target.duration).clamp(max=len(TIMES) - 1)

    @property
    def prediction(self) -> GridPrediction:
        return GridPrediction(TIMES, self.incidence[:, None], "linear", known_until=12.0)

    @property
    def once(self) -> Tensor:
        return torch.ones(1, len(self.score), dtype=torch.float64)


def people() -> People:
    """Ties in durations and scores, two causes; nobody has an event at a later cut."""
    generator = torch.Generator().manual_seed(1)
    duration = torch.randint(1, 11, (SUBJECTS,), generator=generator).double()
    event = torch.randint(0, 3, (SUBJECTS,), generator=generator)
    score = torch.randint(-3, 4, (SUBJECTS,), generator=generator).double()
    steps = torch.rand(SUBJECTS, len(TIMES), generator=generator).double() / 4
    return People(SurvivalTarget(duration, event), score, (steps + 0.05).cumsum(1))


def value(result: Result) -> Tensor:
    assert isinstance(result, Estimate), result
    return torch.tensor([result.value], dtype=torch.float64)


def values(results: tuple[Result, ...]) -> Tensor:
    return torch.cat([value(one) for one in results])


def both(statistic: Any) -> Tensor:
    """The value of the data, and the replicate in which everybody is drawn once."""
    once = [torch.ones(1, size, dtype=torch.float64) for size in statistic.sizes]
    return torch.cat([value(statistic.estimate()), statistic.replicates(*once)])


def observed(p: People) -> Tensor:
    """What calibration says was observed; the mean prediction is no matter of entry."""
    found = metrics.calibration_at(4.5, p.incidence[:, 1].contiguous(), p.target, groups=1)
    return value(found.groups[0].observed)


def weighed_and_observed(p: People) -> Tensor:
    """Observed over one prediction for everybody, which does not depend on who is counted."""
    same = torch.full_like(p.score, 0.3)
    return both(metrics.observed_expected_statistic(4.5, same, p.target))


def smoothed(p: People) -> Tensor:
    """The curve of the first subjects, whatever their number."""
    curve = metrics.smooth_calibration(4.5, p.incidence[:, 1], p.target)
    assert isinstance(curve, Tensor)
    order = p.incidence[:, 1].argsort()
    return curve[order][[0, -1]]


def compared_groups(p: People) -> Tensor:
    found = log_rank(p.target, (p.score > 0).long())
    assert isinstance(found, LogRank)
    return torch.tensor([found.statistic, *(group.expected for group in found.groups)])


def counted(p: People) -> Tensor:
    table = risk_table.risk_table(p.target, 2)
    place = torch.searchsorted(table.times, torch.tensor([2.0, 5.0, 7.0]).double())
    return torch.cat([table.at_risk[place], table.leaving[1:, place].reshape(-1)])


def incidences(p: People) -> Tensor:
    curves = aalen_johansen(p.target.duration, p.target.event, 2, **_more(p))
    return torch.cat([curves.at(TIMES), *curves.bounds_at(TIMES)])


def _more(p: People) -> dict[str, Tensor]:
    return {name: p.plain[name] for name in ("entry", "weight") if name in p.plain}


def baseline(p: People) -> Tensor:
    times, hazard = breslow_cumulative_hazard(log_hazard=p.score / 3, **p.plain)
    return hazard[torch.searchsorted(times, TIMES, right=True) - 1]


def with_bounds(curve: Any) -> Tensor:
    return torch.cat([curve.at(TIMES), *curve.bounds_at(TIMES)])


def replicated_censoring(p: People) -> Tensor:
    knots, survival = censoring.censoring_survival_replicates(p.target, p.once)
    return survival[0, torch.searchsorted(knots, TIMES, right=True) - 1]


H, R = "honoured", "refused"
Call = Callable[[People], Any]
FUNCTIONS: dict[str, tuple[Call, str, str]] = {
    # name: (how to call it, delayed entry, case weights)
    "harrell_concordance": (lambda p: value(metrics.harrell_concordance(p.score, p.target)), H, H),
    "harrell_statistic": (lambda p: both(metrics.harrell_statistic(p.score, p.target)), H, H),
    "antolini_concordance": (
        lambda p: value(metrics.antolini_concordance(p.incidence, p.column, p.target)), H, H,
    ),
    "antolini_statistic": (
        lambda p: both(metrics.antolini_statistic(p.incidence, p.column, p.target)), H, H,
    ),
    "antolini_from_prediction": (
        lambda p: value(metrics.antolini_from_prediction(p.prediction, p.target)), H, H,
    ),
    "antolini_prediction_statistic": (
        lambda p: both(metrics.antolini_prediction_statistic(p.prediction, p.target)), H, H,
    ),
    "adjusted_antolini_concordance": (
        lambda p: value(metrics.adjusted_antolini_concordance(p.incidence, p.column, p.target)),
        R, R,
    ),
    "uno_concordance": (
        lambda p: value(metrics.uno_concordance(p.score, p.target, p.target, tau=8.0)), R, H,
    ),
    "uno_statistic": (
        lambda p: both(
            metrics.uno_statistic(p.score, p.target, p.target, tau=8.0, competing="at-risk")
        ),
        R, H,
    ),
    "dynamic_auc": (
        lambda p: values(metrics.dynamic_auc(p.score, TIMES, p.target, p.target)), R, H,
    ),
    "mean_dynamic_auc": (
        lambda p: value(metrics.mean_dynamic_auc(p.score, TIMES, p.target, p.target)), R, H,
    ),
    "dynamic_auc_statistic": (
        lambda p: both(
            metrics.dynamic_auc_statistic(
                p.incidence, TIMES, p.target, p.target, controls="cause-free"
            )
        ),
        R, H,
    ),
    "brier_score": (
        lambda p: values(metrics.brier_score(1 - p.incidence, TIMES, p.target, p.target)), R, H,
    ),
    "integrated_brier_score": (
        lambda p: value(
            metrics.integrated_brier_score(1 - p.incidence, TIMES, p.target, p.target)
        ),
        R, H,
    ),
    "brier_score_incidence": (
        lambda p: values(metrics.brier_score_incidence(p.incidence, TIMES, p.target, p.target)),
        R, H,
    ),
    "integrated_brier_score_incidence": (
        lambda p: value(
            metrics.integrated_brier_score_incidence(p.incidence, TIMES, p.target, p.target)
        ),
        R, H,
    ),
    "brier_statistic": (
        lambda p: both(metrics.brier_statistic(p.incidence, TIMES, p.target, p.target, cause=2)),
        R, H,
    ),
    "scaled_brier_score": (
        lambda p: value(metrics.scaled_brier_score(1 - p.incidence, TIMES, p.target, p.target)),
        R, H,
    ),
    "scaled_brier_score_incidence": (
        lambda p: value(
            metrics.scaled_brier_score_incidence(p.incidence, TIMES, p.target, p.target)
        ),
        R, H,
    ),
    "scaled_brier_statistic": (
        lambda p: both(metrics.scaled_brier_statistic(p.incidence, TIMES, p.target, p.target)),
        R, H,
    ),
    "calibration_at": (observed, H, H),
    "observed_expected_statistic": (weighed_and_observed, H, H),
    "calibration_index": (
        lambda p: value(metrics.calibration_index(4.5, p.incidence[:, 1], p.target)), R, H,
    ),
    "calibration_index_statistic": (
        lambda p: both(metrics.calibration_index_statistic(4.5, p.incidence[:, 1], p.target)), R, H,
    ),
    "smooth_calibration": (smoothed, R, H),
    "d_calibration": (lambda p: metrics.d_calibration(1 - p.incidence[:, 1], p.target), R, R),
    "d_calibration_from_prediction": (
        lambda p: metrics.d_calibration_from_prediction(p.prediction, p.target), R, R,
    ),
    "kaplan_meier": (lambda p: with_bounds(kaplan_meier(**p.plain)), H, H),
    "nelson_aalen": (lambda p: with_bounds(nelson_aalen(**p.plain)), H, H),
    "aalen_johansen": (incidences, H, H),
    "breslow_cumulative_hazard": (baseline, H, H),
    "restricted_mean_survival": (
        lambda p: value(restricted_mean_survival(tau=7.0, **p.plain)), H, H,
    ),
    "log_rank": (compared_groups, H, R),
    "censoring_survival": (lambda p: censoring.censoring_survival(p.target).at(TIMES), "shown", H),
    "censoring_survival_replicates": (replicated_censoring, R, H),
    "incidence_replicates": (
        lambda p: incidence_replicates.incidence_replicates(p.target, p.once, 1, TIMES)[0], H, H,
    ),
    "risk_table": (counted, H, H),
    "numbers_at_risk": (lambda p: risk_table.numbers_at_risk(p.target, TIMES), H, H),
}  # fmt: skip
