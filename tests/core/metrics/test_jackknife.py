"""The infinitesimal jackknife against closed forms, R and central differences."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, log
from pathlib import Path

import pytest
import torch
from scipy.special import stdtrit
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics import (
    Bootstrap,
    Estimate,
    Undefined,
    antolini_statistic,
    bootstrap_replicates,
    brier_statistic,
    calibration_index_statistic,
    dynamic_auc_statistic,
    harrell_statistic,
    influences,
    jackknife_interval,
    jackknife_variance,
    scaled_brier_statistic,
    uno_statistic,
)
from survkit.metrics.bootstrap import Statistic
from survkit.metrics.estimate import Interval, Result
from survkit.nonparametric.incidence_replicates import incidence_replicates
from survkit.nonparametric.kaplan_meier import kaplan_meier

FOLDER = Path(__file__).parents[1] / "golden" / "metrics"
FIRST, SECOND, THIRD = (
    json.loads((FOLDER / f"golden{number}.json").read_text()) for number in ("", "_ii", "_iii")
)
TIMES = (0.2, 0.4, 0.6, 0.8)


def doubles(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def cohort(n: int, seed: int, causes: int = 1) -> tuple[Tensor, SurvivalTarget]:
    """Exponential durations of known rate, about a third censored."""
    generator = torch.Generator().manual_seed(seed)
    score = torch.randn(n, generator=generator).double()
    first, second, other = torch.rand(3, n, generator=generator).double()
    duration, censored = -first.log() / score.exp(), -1.7 * second.log()
    event = (duration <= censored).long() * torch.where((other < 0.4) & (causes > 1), 2, 1)
    return score, SurvivalTarget(duration.minimum(censored), event)


def incidence(score: Tensor) -> Tensor:
    return -torch.expm1(-doubles(list(TIMES)) * score[:, None].exp())


@dataclass(frozen=True)
class Incidence:
    """P(event by a time) as a statistic."""

    target: SurvivalTarget
    time: float
    cause: int | None = None

    @property
    def sizes(self) -> tuple[int, ...]:
        return (len(self.target.duration),)

    def estimate(self) -> Result:
        value = float(self.replicates(torch.ones(1, *self.sizes))[0])
        return Estimate(value, None, "incidence", *self.sizes, 0)

    def replicates(self, *counts: Tensor) -> Tensor:
        times = torch.tensor([self.time], dtype=torch.float64)
        return incidence_replicates(self.target, counts[0], self.cause, times)[:, 0]


def test_mean_of_errors_without_censoring() -> None:
    """A Brier score's variance is that of its squared errors over n."""
    score, target = cohort(150, 1)
    target = SurvivalTarget(target.duration, torch.ones(150).long())
    predicted = incidence(score)[:, [1]]
    errors = (predicted[:, 0] - (target.duration <= TIMES[1]).double()) ** 2

    found = jackknife_variance(brier_statistic(predicted, TIMES[1:2], target, target))

    assert found == pytest.approx(float(errors.var(correction=0)) / 150, rel=1e-12)


@pytest.mark.parametrize("time", [0.3, 0.9])
def test_kaplan_meier_has_greenwoods_variance(time: float) -> None:
    """With censoring and ties, at every time before the last event."""
    _, target = cohort(120, 2)
    target = SurvivalTarget((target.duration * 20).ceil() / 20, target.event)
    curve = kaplan_meier(target.duration, target.event == 1)
    place = int(torch.searchsorted(curve.times, time, right=True)) - 1
    greenwood = float(curve.survival[place] ** 2 * curve.variance[place])

    assert jackknife_variance(Incidence(target, time)) == pytest.approx(greenwood, rel=1e-12)


def test_harrell_without_ties_and_censoring_is_a_u_statistic() -> None:
    """4 / n² times the sum of squares of each subject's own share less the whole's."""
    score, target = cohort(90, 3)
    target = SurvivalTarget(target.duration, torch.ones(90).long())
    later = target.duration[:, None] < target.duration
    concordant = (later == (score[:, None] > score)).double().fill_diagonal_(0)
    own = concordant.sum(1) / 89

    found = jackknife_variance(harrell_statistic(score, target))

    closed = 4 / 90**2 * float(((own - own.mean()) ** 2).sum())
    assert found == pytest.approx(closed, rel=1e-12)


def veteran(strata: bool) -> Statistic:
    data = FIRST["veteran"]
    groups = torch.tensor(data["trt"]) if strata else None
    target = SurvivalTarget(
        doubles(data["duration"]), torch.tensor(data["event"]), None, None, groups
    )
    return harrell_statistic(-doubles(data["karno"]), target)


def test_concordance_has_rs_variance() -> None:
    """The function concordance of R's survival, ties in time and score, strata, clusters.

    R sums over clusters without the factor clusters / (clusters - 1).
    """
    expected, clusters = THIRD["concordance"], torch.tensor(SECOND["celltype"])

    plain, strata = jackknife_variance(veteran(False)), jackknife_variance(veteran(True))
    clustered = jackknife_variance(veteran(False), clusters=clusters)

    assert plain == pytest.approx(expected["variance"][0], rel=1e-12)
    assert strata == pytest.approx(expected["strata_variance"][0], rel=1e-12)
    assert clustered * 3 / 4 == pytest.approx(expected["cluster_variance"][0], rel=1e-10)


@pytest.mark.parametrize("cause", [1, 2])
def test_incidence_has_rs_variance(cause: int) -> None:
    """The function survfit of R's survival with competing causes and ties."""
    data = SECOND["cohort"]
    target = SurvivalTarget(doubles(data["duration"]).ceil(), torch.tensor(data["cause"]))
    for time, error in zip(THIRD["times"], THIRD["incidence"][f"jackknife_{cause}"], strict=True):
        found = jackknife_variance(Incidence(target, time, cause)) ** 0.5

        assert found == pytest.approx(error, rel=1e-10)


@pytest.mark.parametrize("reference", ["survival", "cause_1", "cause_2"])
def test_brier_score_and_auc_have_rs_errors(reference: str) -> None:
    """The function Score of R's riskRegression, the censoring model's error included.

    R divides by n - 1. Its influence of the censoring model is a sum over event times that agrees
    with the derivative to four digits or more.
    """
    data, expected = SECOND["cohort"], THIRD[reference]
    column, cause, scored = {
        "survival": ("event", None, SECOND["risk"]),
        "cause_1": ("cause", 1, SECOND["incidence"]),
        "cause_2": ("cause", 2, THIRD["other"]),
    }[reference]
    target = SurvivalTarget(doubles(data["duration"]), torch.tensor(data[column]))
    predicted = doubles(scored).view(3, -1).T
    for place, time in enumerate(THIRD["times"]):
        score = brier_statistic(predicted[:, [place]], [time], target, target, cause=cause)
        area = dynamic_auc_statistic(
            predicted[:, place], [time], target, target, cause=cause or 1, controls="cause-free"
        )
        for statistic, error in ((score, "brier_error"), (area, "auc_error")):
            found = (jackknife_variance(statistic) * 220 / 219) ** 0.5

            assert found == pytest.approx(expected[error][place], rel=5e-5)


def _statistics() -> dict[str, Callable[[], Statistic]]:
    score, target = cohort(70, 4)
    competing = cohort(70, 4, causes=2)[1]
    training = cohort(80, 5, causes=2)[1]
    predicted = incidence(score)
    column = torch.searchsorted(doubles(list(TIMES)), target.duration).clamp(max=3)
    weighted = SurvivalTarget(target.duration, target.event, weight=score.exp())
    return {
        "harrell": lambda: harrell_statistic(score, target),
        "harrell, weighted": lambda: harrell_statistic(score, weighted),
        "harrell at risk": lambda: harrell_statistic(score, competing, competing="at-risk"),
        "uno": lambda: uno_statistic(score, target, target, tau=0.8),
        "uno at risk": lambda: uno_statistic(
            score, competing, training, tau=0.8, competing="at-risk"
        ),
        "antolini": lambda: antolini_statistic(predicted, column, target),
        "auc": lambda: dynamic_auc_statistic(score, TIMES[1:2], target, target),
        "mean auc, cause-free": lambda: dynamic_auc_statistic(
            score, TIMES, competing, training, controls="cause-free"
        ),
        "integrated brier": lambda: brier_statistic(predicted, TIMES, target, target),
        "integrated brier of a cause": lambda: brier_statistic(
            predicted, TIMES, competing, training, cause=1
        ),
        "scaled brier": lambda: scaled_brier_statistic(predicted, TIMES, target, target),
        "scaled brier, weighted": lambda: scaled_brier_statistic(
            predicted, TIMES, weighted, training
        ),
        "ici": lambda: calibration_index_statistic(0.6, predicted[:, 2].contiguous() ** 2, target),
        "ici of a cause": lambda: calibration_index_statistic(
            0.6, predicted[:, 2].contiguous() / 2, competing
        ),
    }


STATISTICS = _statistics()


@pytest.mark.parametrize("name", STATISTICS)
def test_influence_is_what_a_little_more_of_a_subject_does(name: str) -> None:
    """Central differences, for subjects of every group; and doubling everybody does nothing."""
    statistic = STATISTICS[name]()
    found, step = influences(statistic), 1e-5

    for group, size in enumerate(statistic.sizes):
        assert float(found[group].sum()) == pytest.approx(0, abs=1e-12)
        for row in range(0, size, 11):
            ends = []
            for change in (step, -step):
                counts = [torch.ones(1, each, dtype=torch.float64) for each in statistic.sizes]
                counts[group][0, row] += change
                ends.append(float(statistic.replicates(*counts)[0]))
            slope = (ends[0] - ends[1]) / (2 * step)
            assert float(found[group][row]) == pytest.approx(slope, abs=1e-8)


def test_training_subjects_alone_can_be_differentiated() -> None:
    """The influence of one group does not need the other's counts to be differentiated."""
    statistic = STATISTICS["integrated brier of a cause"]()
    drawn = [torch.ones(1, size, dtype=torch.float64) for size in statistic.sizes]
    drawn[1].requires_grad_()

    (found,) = torch.autograd.grad(statistic.replicates(*drawn).sum(), drawn[1])

    torch.testing.assert_close(found[0], influences(statistic)[1])


@pytest.mark.parametrize("name", ["harrell", "uno", "mean auc, cause-free", "scaled brier"])
def test_error_is_that_of_the_bootstrap(name: str) -> None:
    """Two estimates of one standard error agree to a tenth."""
    statistic = STATISTICS[name]()
    values = bootstrap_replicates(statistic, Bootstrap(replicates=2000))

    assert jackknife_variance(statistic) ** 0.5 == pytest.approx(
        float(values[~values.isnan()].std()), rel=0.15
    )


def interval(result: Result) -> Interval:
    assert isinstance(result, Estimate), result
    assert result.interval is not None, result.method
    return result.interval


def test_bounds_are_symmetric_on_the_scale_without_bounds() -> None:
    """Logit between 0 and 1, the logarithm of what is missing to 1, or the scale itself."""
    statistic = STATISTICS["scaled brier"]()
    estimate = statistic.estimate()
    assert isinstance(estimate, Estimate)
    value = estimate.value
    margin = float(stdtrit(69, 0.95)) * jackknife_variance(statistic) ** 0.5

    own = interval(jackknife_interval(statistic, level=0.9))
    logit = interval(jackknife_interval(statistic, level=0.9, bounds=(0, 1)))
    free = interval(jackknife_interval(statistic, level=0.9, bounds=(-inf, inf)))
    above = interval(jackknife_interval(statistic, level=0.9, bounds=(-2, inf)))

    spread = margin / (value * (1 - value))
    centre = log(value / (1 - value))
    ends = [1 / (1 + exp(-centre - sign * spread)) for sign in (-1, 1)]
    assert [logit.lower, logit.upper] == pytest.approx(ends)
    assert [free.lower, free.upper] == pytest.approx([value - margin, value + margin])
    missing = [(1 - value) * exp(sign * margin / (1 - value)) for sign in (1, -1)]
    assert [own.lower, own.upper] == pytest.approx([1 - missing[0], 1 - missing[1]])
    over = [(value + 2) * exp(sign * margin / (value + 2)) - 2 for sign in (-1, 1)]
    assert [above.lower, above.upper] == pytest.approx(over)
    assert own.level == 0.9


def test_every_subject_its_own_cluster() -> None:
    """Then only the factor n / (n - 1) is new; and the method tells the clusters."""
    statistic = STATISTICS["harrell"]()

    clustered = jackknife_variance(statistic, clusters=torch.arange(70))

    assert clustered == pytest.approx(jackknife_variance(statistic) * 70 / 69)
    result = jackknife_interval(statistic, clusters=torch.arange(70) % 5)
    assert isinstance(result, Estimate)
    assert result.method.endswith("infinitesimal jackknife over 5 clusters")


def test_certainty_has_no_interval() -> None:
    """A concordance of one, or one cluster: no number, and a reason."""
    target = SurvivalTarget(torch.arange(1.0, 9.0), torch.ones(8).long())

    perfect = jackknife_interval(harrell_statistic(-target.duration, target))
    alone = jackknife_interval(STATISTICS["uno"](), clusters=torch.zeros(70).long())

    assert isinstance(perfect, Estimate)
    assert (perfect.value, perfect.interval) == (1.0, None)
    assert perfect.method.endswith("no interval: the value does not lie between its bounds 0 and 1")
    assert isinstance(alone, Estimate)
    assert alone.interval is None
    assert alone.method.endswith("no interval: its variance cannot be estimated")


def test_what_has_no_derivative_or_value_is_refused() -> None:
    """Quantiles of a calibration curve, wrong settings; undefined stays undefined."""
    score, target = cohort(50, 6)
    predicted = incidence(score)[:, 2].contiguous()
    nobody = harrell_statistic(score, SurvivalTarget(target.duration, torch.zeros(50).long()))

    assert isinstance(jackknife_interval(nobody), Undefined)
    with pytest.raises(DataError, match="an undefined statistic has no variance: nobody has"):
        jackknife_variance(nobody)
    with pytest.raises(DataError, match="e90 is a quantile of distances"):
        jackknife_interval(calibration_index_statistic(0.6, predicted, target, index="e90"))
    with pytest.raises(DataError, match="level must lie between 0 and 1, not 95"):
        jackknife_interval(STATISTICS["harrell"](), level=95)
    with pytest.raises(DataError, match="clusters must hold one value for each of 70"):
        jackknife_variance(STATISTICS["harrell"](), clusters=torch.zeros(3).long())
