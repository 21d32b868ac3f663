"""Cumulative/dynamic AUC against R's riskRegression, scikit-survival and brute force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from survkit.errors import DataError
from survkit.flow import SurvivalTarget, select
from survkit.metrics.bootstrap import Bootstrap, bootstrap_counts, with_interval
from survkit.metrics.dynamic_auc import dynamic_auc, dynamic_auc_statistic, mean_dynamic_auc
from survkit.metrics.estimate import Estimate, Undefined
from survkit.nonparametric.aalen_johansen import aalen_johansen
from survkit.nonparametric.censoring import censoring_survival

FOLDER = Path(__file__).parents[1] / "golden" / "metrics"
GOLDEN = json.loads((FOLDER / "golden_ii.json").read_text())
TIMES = (3.0, 6.5, 9.0, 12.0)


def value(result: object) -> float:
    assert isinstance(result, Estimate), result
    return result.value


def cohort(n: int, seed: int, *, rounded: bool = True, causes: int = 1) -> SurvivalTarget:
    generator = torch.Generator().manual_seed(seed)
    duration = torch.rand(n, generator=generator, dtype=torch.float64) * 20 + 1
    duration = duration.round() if rounded else duration
    return SurvivalTarget(duration, torch.randint(0, causes + 1, (n,), generator=generator))


def scores(seed: int, *shape: int) -> torch.Tensor:
    return (
        torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double().round(decimals=1)
    )


def structured(target: SurvivalTarget) -> Any:
    pairs = zip(target.event.bool().tolist(), target.duration.tolist(), strict=True)
    return np.array(list(pairs), dtype=[("event", bool), ("time", float)])


def brute(score: torch.Tensor, target: SurvivalTarget, time: float, controls: str) -> float:
    """The definition, pair by pair."""
    curve = censoring_survival(target)
    before, now = curve.before(target.duration), float(curve.at([time])[0])
    top = bottom = 0.0
    for i in range(len(score)):
        for j in range(len(score)):
            if target.event[i] != 1 or target.duration[i] > time:
                continue
            if target.duration[j] > time:
                other = 1 / now
            elif controls == "cause-free" and target.event[j] == 2:
                other = 1 / float(before[j])
            else:
                continue
            pair = other / float(before[i])
            if target.weight is not None:
                pair *= float(target.weight[i] * target.weight[j])
            bottom += pair
            top += pair * (float(score[i] > score[j]) + 0.5 * float(score[i] == score[j]))
    return top / bottom


@pytest.mark.parametrize(
    ("reference", "event", "scored", "controls"),
    [
        ("auc", "event", "risk", "event-free"),
        ("auc_cause", "cause", "incidence", "cause-free"),
    ],
)
def test_equals_r(reference: str, event: str, scored: str, controls: Any) -> None:
    """The function Score of R's riskRegression at three times, alone and with a competing cause."""
    data = GOLDEN["cohort"]
    target = SurvivalTarget(
        torch.tensor(data["duration"], dtype=torch.float64), torch.tensor(data[event])
    )
    score = torch.tensor(GOLDEN[scored], dtype=torch.float64).view(3, -1).T
    times = torch.tensor(GOLDEN["score_times"], dtype=torch.float64)

    found = dynamic_auc(score, times, target, target, controls=controls)

    assert [value(one) for one in found] == pytest.approx(GOLDEN[reference], rel=1e-10)


@pytest.mark.parametrize("rounded", [True, False])
@pytest.mark.parametrize("shape", [(300,), (300, 4)])
def test_equals_scikit_survival(rounded: bool, shape: tuple[int, ...]) -> None:
    """AUC at every time and its mean, one score or one per time, ties in time and score."""
    sksurv = pytest.importorskip("sksurv.metrics")
    training, target = cohort(400, 1, rounded=rounded), cohort(300, 2, rounded=rounded)
    training.duration[0] = 22.0
    score = scores(3, *shape)

    found = dynamic_auc(score, TIMES, target, training, event_weight="at")
    mean = mean_dynamic_auc(score, TIMES, target, training, event_weight="at")

    peer = sksurv.cumulative_dynamic_auc(
        structured(training), structured(target), score.numpy(), TIMES, tied_tol=0
    )
    assert [value(one) for one in found] == pytest.approx(peer[0].tolist(), rel=1e-12)
    assert value(mean) == pytest.approx(peer[1], rel=1e-12)


@pytest.mark.parametrize("controls", ["event-free", "cause-free"])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_definition(controls: Any, weighted: bool) -> None:
    """A double loop with two causes, weights, ties, and both kinds of controls."""
    plain = cohort(60, 4, causes=2)
    weight = torch.rand(60, generator=torch.Generator().manual_seed(5)).double() + 0.5
    target = SurvivalTarget(plain.duration, plain.event, weight=weight if weighted else None)
    score = scores(6, 60)

    found = dynamic_auc(score, TIMES, target, target, controls=controls)

    expected = [brute(score, target, time, controls) for time in TIMES]
    assert [value(one) for one in found] == pytest.approx(expected, rel=1e-12)


def test_is_the_plain_auc_without_censoring() -> None:
    """All weights are one: the Mann–Whitney statistic of two groups."""
    target = SurvivalTarget(cohort(90, 7).duration, torch.ones(90).long())
    score = scores(8, 90)
    early = target.duration <= 9

    (found,) = dynamic_auc(score, (9.0,), target, target)

    difference = score[early][:, None] - score[~early]
    assert value(found) == pytest.approx(float(((difference.sign() + 1) / 2).mean()))


def test_mean_is_weighted_by_the_incidence_of_the_cause() -> None:
    """Each time weighs the Aalen–Johansen incidence since the time before it."""
    target, score = cohort(200, 9, causes=2), scores(10, 200)
    each = [value(one) for one in dynamic_auc(score, TIMES, target, target, cause=2)]
    incidence = aalen_johansen(target.duration, target.event, 2).at(TIMES)[1]

    found = value(mean_dynamic_auc(score, TIMES, target, target, cause=2))

    share = incidence.diff(prepend=incidence.new_zeros(1)) / incidence[-1]
    assert found == pytest.approx(float(share @ torch.tensor(each).double()))


def test_reversed_scores_and_constant_scores() -> None:
    """AUC(-r) = 1 - AUC(r), and who says nothing gets 0.5."""
    target, score = cohort(100, 11), scores(12, 100)
    (forward,) = dynamic_auc(score, (8.0,), target, target)
    (backward,) = dynamic_auc(-score, (8.0,), target, target)
    (constant,) = dynamic_auc(torch.zeros(100), (8.0,), target, target)

    assert value(backward) == pytest.approx(1 - value(forward))
    assert value(constant) == pytest.approx(0.5, rel=1e-14)


@pytest.mark.parametrize("controls", ["event-free", "cause-free"])
@pytest.mark.parametrize("same", [True, False])
def test_replicates_equal_resampled_subjects(controls: Any, same: bool) -> None:
    """Each replicate is the mean of the drawn subjects, all models refitted."""
    target, score = cohort(60, 13, causes=2), scores(14, 60, 4)
    training = target if same else cohort(80, 15, causes=2)
    generator = torch.Generator().manual_seed(1)
    statistic = dynamic_auc_statistic(score, TIMES, target, training, controls=controls)
    counts = [bootstrap_counts(size, 5, generator) for size in statistic.sizes]

    found = statistic.replicates(*counts)

    for row in range(5):
        rows = torch.arange(60).repeat_interleave(counts[0][row])
        drawn = torch.arange(len(training.duration)).repeat_interleave(counts[-1][row])
        expected = mean_dynamic_auc(
            score[rows], TIMES, select(target, rows), select(training, drawn), controls=controls
        )
        assert float(found[row]) == pytest.approx(value(expected), rel=1e-12)


def test_interval_holds_the_value() -> None:
    """The statistic goes through the bootstrap like every other."""
    target = cohort(200, 16)
    result = with_interval(
        dynamic_auc_statistic(scores(17, 200), (8.0,), target, target), Bootstrap(replicates=200)
    )

    assert isinstance(result, Estimate)
    assert result.interval is not None
    assert result.interval.lower < result.value < result.interval.upper
    assert "200 training subjects" in result.method


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        (0.5, "nobody has the event by 0.5"),
        (4.0, "no control"),
        (3.0, "beyond the training follow-up, which ends at 2.5"),
    ],
)
def test_what_the_data_do_not_tell_is_undefined(time: float, reason: str) -> None:
    """No case, no control or no weight: no value, and a reason; also for the mean."""
    target = SurvivalTarget(torch.tensor([1.0, 3.0, 4.0]), torch.tensor([1, 1, 0]))
    training = SurvivalTarget(torch.tensor([1.0, 2.5]), torch.tensor([0, 1]))

    (result,) = dynamic_auc(torch.rand(3), (time,), target, training)
    mean = mean_dynamic_auc(torch.rand(3), sorted((time, 2.0)), target, training)

    assert isinstance(result, Undefined)
    assert reason in result.reason
    assert mean == result


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"risk_score": torch.rand(9)}, "each of 10 subjects, not 9"),
        ({"risk_score": torch.rand(9, 4)}, "one row for each of 10 subjects"),
        ({"risk_score": torch.full((10, 4), float("inf"))}, "risk_score must be finite"),
        ({"risk_score": torch.rand(10, 3)}, r"one time per column \(3\)"),
        ({"times": (3.0, 2.0)}, "times must be finite, >= 0 and increasing"),
        ({"times": ()}, "times must hold"),
        ({"controls": "healthy"}, "controls must be"),
        ({"cause": 1.0}, "cause must be"),
        ({"event_weight": "after"}, "event_weight must be"),
        ({"training": None}, "training must be a SurvivalTarget"),
    ],
)
def test_bad_input_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    """The message names the argument."""
    target = cohort(10, 1)
    given = {"risk_score": torch.rand(10), "times": TIMES, "training": target, **change}

    with pytest.raises(DataError, match=message):
        dynamic_auc(given.pop("risk_score"), given.pop("times"), target, **given)


def test_late_entry_is_refused_by_name() -> None:
    """Weights from time 0 do not make up for late entry."""
    target = cohort(10, 1)
    late = SurvivalTarget(target.duration, target.event, entry=target.duration / 2)

    with pytest.raises(DataError, match=r"target\.entry"):
        dynamic_auc(torch.rand(10), TIMES, late, target)
    with pytest.raises(DataError, match=r"training\.entry"):
        dynamic_auc(torch.rand(10), TIMES, target, late)
