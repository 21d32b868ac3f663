"""Uno's concordance against R, scikit-survival, brute force and Harrell's."""

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
from survkit.metrics.estimate import Estimate, Undefined
from survkit.metrics.harrell import harrell_concordance
from survkit.metrics.uno import uno_concordance, uno_statistic
from survkit.nonparametric.censoring import censoring_survival

FOLDER = Path(__file__).parents[1] / "golden" / "metrics"
GOLDEN = json.loads((FOLDER / "golden_ii.json").read_text())


def value(result: object) -> float:
    assert isinstance(result, Estimate), result
    return result.value


def cohort(n: int, seed: int, *, rounded: bool = True, causes: int = 1) -> SurvivalTarget:
    generator = torch.Generator().manual_seed(seed)
    duration = torch.rand(n, generator=generator, dtype=torch.float64) * 20 + 1
    duration = duration.round() if rounded else duration
    return SurvivalTarget(duration, torch.randint(0, causes + 1, (n,), generator=generator))


def scores(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, generator=torch.Generator().manual_seed(seed)).double().round(decimals=1)


def structured(target: SurvivalTarget) -> Any:
    pairs = zip(target.event.bool().tolist(), target.duration.tolist(), strict=True)
    return np.array(list(pairs), dtype=[("event", bool), ("time", float)])


def brute(
    score: torch.Tensor, target: SurvivalTarget, tau: float, *, at_risk: bool = False
) -> float:
    """The definition, pair by pair."""
    ends = target.event > 0 if at_risk else target.event == 1
    own = SurvivalTarget(target.duration, ends.long(), weight=target.weight)
    before = censoring_survival(own).before(target.duration)
    top = bottom = 0.0
    for i in range(len(score)):
        for j in range(len(score)):
            t_i, t_j = float(target.duration[i]), float(target.duration[j])
            if target.event[i] != 1 or t_i > tau:
                continue
            kept = at_risk and target.event[j] == 2 and t_j < t_i
            if not (kept or t_i < t_j or (t_i == t_j and target.event[j] != 1)):
                continue
            if target.strata is not None and target.strata[i] != target.strata[j]:
                continue
            pair = 1.0 if target.weight is None else float(target.weight[i] * target.weight[j])
            pair /= float(before[i]) * float(before[j] if kept else before[i])
            bottom += pair
            top += pair * (float(score[i] > score[j]) + 0.5 * float(score[i] == score[j]))
    return top / bottom


@pytest.mark.parametrize(("reference", "tau"), [("uno", None), ("uno_tau_9", 9.0)])
def test_equals_r(reference: str, tau: float | None) -> None:
    """R's survival::concordance with timewt="n/G2", with and without a limit."""
    data = GOLDEN["cohort"]
    target = SurvivalTarget(
        torch.tensor(data["duration"], dtype=torch.float64), torch.tensor(data["event"])
    )
    score = torch.tensor(data["score"], dtype=torch.float64)

    found = value(uno_concordance(score, target, target, tau=tau))

    assert found == pytest.approx(GOLDEN[reference][0], rel=1e-10)


def test_competing_risks_equal_r() -> None:
    """R's pec::cindex with a competing cause, marginal censoring model, until 9."""
    data = GOLDEN["cohort"]
    duration = torch.tensor(data["duration"], dtype=torch.float64)
    target = SurvivalTarget(duration, torch.tensor(data["cause"]))
    score = torch.tensor(GOLDEN["incidence"], dtype=torch.float64).view(3, -1)[1]

    found = uno_concordance(score, target, target, tau=9.0, competing="at-risk")

    assert value(found) == pytest.approx(GOLDEN["uno_cause_tau_9"][0], rel=1e-12)


@pytest.mark.parametrize("rounded", [True, False])
@pytest.mark.parametrize("tau", [None, 12.5])
def test_equals_scikit_survival(rounded: bool, tau: float | None) -> None:
    """To 14 digits, with the censoring model of other subjects and with tied times."""
    sksurv = pytest.importorskip("sksurv.metrics")
    training, target = cohort(400, 1, rounded=rounded), cohort(300, 2, rounded=rounded)
    training.duration[0] = 22.0
    score = scores(300, 3)

    found = uno_concordance(score, target, training, tau=tau, event_weight="at")

    peer = sksurv.concordance_index_ipcw(
        structured(training), structured(target), score.numpy(), tau=tau, tied_tol=0
    )[0]
    assert value(found) == pytest.approx(peer, rel=1e-13)
    if not rounded:  # where nothing is tied, both readings of the censoring survival agree
        assert value(uno_concordance(score, target, training, tau=tau)) == pytest.approx(peer)


@pytest.mark.parametrize("fields", [(), ("weight",), ("weight", "strata")])
@pytest.mark.parametrize("competing", ["censored", "at-risk"])
def test_equals_the_definition(fields: tuple[str, ...], competing: Any) -> None:
    """A double loop, with weights, strata, a second cause, ties and a limit."""
    generator = torch.Generator().manual_seed(4)
    optional: dict[str, Any] = {}
    if "weight" in fields:
        optional["weight"] = torch.rand(60, generator=generator, dtype=torch.float64) + 0.5
    if "strata" in fields:
        optional["strata"] = torch.randint(0, 3, (60,), generator=generator)
    plain = cohort(60, 5, causes=2)
    target = SurvivalTarget(plain.duration, plain.event, **optional)
    score = scores(60, 6)

    found = uno_concordance(score, target, target, tau=14.0, competing=competing)

    expected = brute(score, target, 14.0, at_risk=competing == "at-risk")
    assert value(found) == pytest.approx(expected, rel=1e-12)


def test_equals_harrell_without_censoring() -> None:
    """All weights are one when nobody is censored."""
    target = SurvivalTarget(cohort(200, 7).duration, torch.ones(200).long())
    score = scores(200, 8)

    assert value(uno_concordance(score, target, target)) == pytest.approx(
        value(harrell_concordance(score, target)), rel=1e-14
    )


def test_does_not_depend_on_the_censoring() -> None:
    """With heavy early censoring Uno keeps the uncensored value, Harrell moves away from it.

    Early events are well predicted and late ones are not, so that their share matters.
    """
    generator = torch.Generator().manual_seed(9)
    duration = torch.rand(20_000, generator=generator, dtype=torch.float64) * 10
    noise = torch.randn(20_000, generator=generator, dtype=torch.float64)
    score = torch.where(duration < 3, -duration + noise / 5, -3 + noise)
    censored = -4 * torch.rand(20_000, generator=generator, dtype=torch.float64).log()
    everything = SurvivalTarget(duration, torch.ones_like(duration).long())
    target = SurvivalTarget(duration.minimum(censored), (duration <= censored).long())

    truth = value(harrell_concordance(score, everything, tau=8.0))

    assert value(uno_concordance(score, target, target, tau=8.0)) == pytest.approx(truth, abs=0.01)
    assert abs(value(harrell_concordance(score, target, tau=8.0)) - truth) > 0.03


@pytest.mark.parametrize("competing", ["censored", "at-risk"])
@pytest.mark.parametrize("same", [True, False])
def test_replicates_equal_resampled_subjects(same: bool, competing: Any) -> None:
    """Each replicate is the concordance of the drawn subjects, the censoring model refitted."""
    target, score = cohort(40, 10, causes=2), scores(40, 11)
    training = target if same else cohort(50, 12, causes=2)
    generator = torch.Generator().manual_seed(1)
    statistic = uno_statistic(score, target, training, tau=15.0, competing=competing)
    counts = [bootstrap_counts(size, 6, generator) for size in statistic.sizes]

    found = statistic.replicates(*counts)

    assert len(statistic.sizes) == (1 if same else 2)
    for row in range(6):
        rows = torch.arange(40).repeat_interleave(counts[0][row])
        drawn = torch.arange(len(training.duration)).repeat_interleave(counts[-1][row])
        resampled, refitted = select(target, rows), select(training, drawn)
        expected = uno_concordance(score[rows], resampled, refitted, tau=15.0, competing=competing)
        assert float(found[row]) == pytest.approx(value(expected), rel=1e-12)


def test_interval_and_method() -> None:
    """The interval holds the value; the method says on whom the weights rest."""
    target = cohort(200, 13)
    result = with_interval(
        uno_statistic(scores(200, 14), target, target, tau=15.0), Bootstrap(replicates=200)
    )

    assert isinstance(result, Estimate)
    assert result.interval is not None
    assert result.interval.lower < result.value < result.interval.upper
    assert "200 training subjects, not truncated, effective number of events" in result.method


@pytest.mark.parametrize(
    ("training", "tau", "reason"),
    [
        (([1.0, 2.0], [1, 1]), None, "beyond the training follow-up, which ends at 2"),
        (([1.0, 2.5, 9.0], [1, 0, 1]), 0.5, "nobody has the event in the time asked about"),
        (([1.0, 2.0, 9.0], [0, 0, 0]), 5.0, None),
    ],
)
def test_what_the_training_does_not_tell_is_undefined(
    training: Any, tau: float | None, reason: str | None
) -> None:
    """An event after the training follow-up has no weight; a limit before it cures that."""
    target = SurvivalTarget(torch.tensor([1.0, 3.0, 4.0]), torch.tensor([1, 1, 0]))
    model = SurvivalTarget(torch.tensor(training[0]), torch.tensor(training[1]))
    score = torch.tensor([2.0, 1.0, 0.0])

    result = uno_concordance(score, target, model, tau=tau)

    if reason is None:
        assert value(result) == 1.0
    else:
        assert isinstance(result, Undefined)
        assert reason in result.reason


def test_event_after_the_last_censoring_has_no_weight() -> None:
    """G is 0 where every training subject is censored at that time."""
    target = SurvivalTarget(torch.tensor([2.0, 3.0]), torch.tensor([1, 0]))
    training = SurvivalTarget(torch.tensor([1.0, 2.0]), torch.tensor([0, 0]))

    result = uno_concordance(torch.tensor([1.0, 0.0]), target, training, event_weight="at")

    assert isinstance(result, Undefined)
    assert "censored by 2; choose an earlier tau" in result.reason


def test_limit_includes_its_own_time() -> None:
    """An event at tau counts; the limit just before it leaves it out."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 1, 0]))
    score = torch.tensor([2.0, 0.0, 1.0])

    assert value(uno_concordance(score, target, target, tau=2.0)) == pytest.approx(2 / 3)
    assert value(uno_concordance(score, target, target, tau=float(np.nextafter(2, 0)))) == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"risk_score": torch.rand(3, 5)}, "risk_score needs one number per subject"),
        ({"risk_score": torch.tensor([0.0, float("nan"), 1.0])}, "risk_score must be finite"),
        ({"training": torch.rand(3)}, "training must be a SurvivalTarget, not Tensor"),
        ({"target": None}, "target must be a SurvivalTarget"),
        ({"tau": 0.0}, "tau must be"),
        ({"cause": 0}, "cause must be"),
        ({"competing": "ignored"}, "competing must be"),
        ({"event_weight": "after"}, "event_weight must be"),
    ],
)
def test_bad_input_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    """The message names the argument."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 0, 1]))
    given = {"risk_score": torch.rand(3), "target": target, "training": target, **change}

    with pytest.raises(DataError, match=message):
        uno_concordance(**given)


def test_late_entry_is_refused_by_name() -> None:
    """Weights from time 0 do not make up for late entry."""
    target = cohort(10, 1)
    late = SurvivalTarget(target.duration, target.event, entry=target.duration / 2)

    with pytest.raises(DataError, match=r"target\.entry"):
        uno_concordance(scores(10, 1), late, target)
    with pytest.raises(DataError, match=r"training\.entry"):
        uno_concordance(scores(10, 1), target, late)
