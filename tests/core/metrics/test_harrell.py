"""Harrell's concordance against R, peers, brute force and invariances."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from survkit.errors import DataError
from survkit.flow import SurvivalTarget, select
from survkit.metrics.estimate import Estimate, Undefined
from survkit.metrics.harrell import harrell_concordance

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "metrics" / "golden.json").read_text())
VETERAN = {name: torch.tensor(values).double() for name, values in GOLDEN["veteran"].items()}


def value(result: object) -> float:
    assert isinstance(result, Estimate), result
    return result.value


def cohort(n: int, seed: int, *, rounded: bool = True, **fields: bool) -> SurvivalTarget:
    """Random subjects with two causes, with ties where asked."""
    generator = torch.Generator().manual_seed(seed)
    duration = torch.rand(n, generator=generator, dtype=torch.float64) * 20 + 1
    duration = duration.round() if rounded else duration
    early = torch.rand(n, generator=generator, dtype=torch.float64)
    return SurvivalTarget(
        duration,
        torch.randint(0, 3, (n,), generator=generator),
        entry=(early * duration).floor() if fields.get("entry") else None,
        weight=early + 0.5 if fields.get("weight") else None,
        strata=torch.randint(0, 3, (n,), generator=generator) if fields.get("strata") else None,
    )


def brute(score: torch.Tensor, target: SurvivalTarget, competing: str, tau: float) -> float:
    """The definition, pair by pair."""
    top = bottom = 0.0
    n = len(score)
    for i in range(n):
        for j in range(n):
            t_i, t_j = float(target.duration[i]), float(target.duration[j])
            if competing == "at-risk" and target.event[j] == 2:
                t_j = float("inf")
            if target.event[i] != 1 or t_i > tau:
                continue
            if not (t_i < t_j or (t_i == t_j and target.event[j] != 1)):
                continue
            if target.entry is not None and target.entry[j] >= t_i:
                continue
            if target.strata is not None and target.strata[i] != target.strata[j]:
                continue
            pair = 1.0 if target.weight is None else float(target.weight[i] * target.weight[j])
            bottom += pair
            top += pair * (float(score[i] > score[j]) + 0.5 * float(score[i] == score[j]))
    return top / bottom


@pytest.mark.parametrize(
    ("reference", "optional", "score"),
    [
        ("karno", {}, "karno"),
        ("age", {}, "age"),
        ("weight", {"weight": VETERAN["diagtime"]}, "karno"),
        ("strata", {"strata": VETERAN["trt"].long()}, "karno"),
        ("entry", {"entry": VETERAN["entry"]}, "karno"),
    ],
)
def test_equals_r(reference: str, optional: dict[str, Any], score: str) -> None:
    """R's survival::concordance: ties in time and score, weights, strata, delayed entry."""
    target = SurvivalTarget(VETERAN["duration"], VETERAN["event"].long(), **optional)

    found = value(harrell_concordance(-VETERAN[score], target))

    assert found == pytest.approx(GOLDEN["concordance"][reference][0], rel=1e-12)


def test_published_value_of_five_subjects() -> None:
    """Nine comparable pairs of which seven are concordant, counted by hand."""
    target = SurvivalTarget(torch.tensor([2.0, 3.0, 2.0, 5.0, 4.0]), torch.tensor([1, 1, 1, 0, 1]))

    assert value(harrell_concordance(torch.tensor([0.5, -0.2, 1.0, 0.0, 0.3]), target)) == 7 / 9


@pytest.mark.parametrize("n", [60, 900])
@pytest.mark.parametrize("rounded", [True, False])
def test_equals_scikit_survival_and_lifelines(n: int, rounded: bool) -> None:
    """Both the matrix and the rank counter agree with two peers to the last digits."""
    sksurv = pytest.importorskip("sksurv.metrics")
    lifelines = pytest.importorskip("lifelines.utils")
    target = cohort(n, seed=n, rounded=rounded)
    target = SurvivalTarget(target.duration, (target.event == 1).long())
    score = torch.randn(n, generator=torch.Generator().manual_seed(2)).double().round(decimals=1)
    event, duration = target.event.bool().numpy(), target.duration.numpy()

    found = value(harrell_concordance(score, target))

    peer = sksurv.concordance_index_censored(event, duration, score.numpy(), tied_tol=0)[0]
    assert found == pytest.approx(peer, rel=1e-14)
    peer = lifelines.concordance_index(duration, -score.numpy(), event)
    assert found == pytest.approx(peer, rel=1e-14)


@pytest.mark.parametrize("competing", ["censored", "at-risk"])
@pytest.mark.parametrize("fields", [{}, {"entry": True}, {"weight": True, "strata": True}])
def test_equals_the_definition(
    monkeypatch: pytest.MonkeyPatch, competing: Any, fields: dict[str, bool]
) -> None:
    """Matrix and rank counter equal a double loop, with everything a target can hold."""
    target = cohort(70, seed=3, **fields)
    score = torch.randint(0, 9, (70,), generator=torch.Generator().manual_seed(4)).double()
    expected = brute(score, target, competing, tau=15.0)

    small = harrell_concordance(score, target, tau=15.0, competing=competing)
    monkeypatch.setattr("survkit.metrics.harrell.MATRIX_SUBJECTS", 0)
    large = harrell_concordance(score, target, tau=15.0, competing=competing)

    assert value(small) == pytest.approx(expected, rel=1e-12)
    assert value(large) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("limit", [0, 800])
def test_tolerance_makes_close_scores_tie(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Scores 0.1 apart count one half with a tolerance of 0.2 and nothing without."""
    monkeypatch.setattr("survkit.metrics.harrell.MATRIX_SUBJECTS", limit)
    target = SurvivalTarget(torch.tensor([1.0, 2.0]), torch.tensor([1, 0]))
    score = torch.tensor([0.0, 0.1])

    assert value(harrell_concordance(score, target)) == 0
    assert value(harrell_concordance(score, target, tied_tolerance=0.2)) == 0.5


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_reversal_order_and_monotone_changes(seed: int, rounded: bool) -> None:
    """C(-r) = 1 - C(r); row order and increasing changes of score or time do nothing."""
    target = cohort(25, seed, rounded=rounded)
    score = torch.randn(25, generator=torch.Generator().manual_seed(seed)).double()
    result = harrell_concordance(score, target)
    if isinstance(result, Undefined):
        return
    order = torch.randperm(25, generator=torch.Generator().manual_seed(seed))
    stretched = SurvivalTarget(target.duration**2, target.event)

    assert value(harrell_concordance(-score, target)) == pytest.approx(1 - result.value)
    assert value(harrell_concordance(score[order], select(target, order))) == result.value
    assert value(harrell_concordance(score.exp(), target)) == result.value
    assert value(harrell_concordance(score, stretched)) == result.value


def test_constant_score_is_one_half() -> None:
    """Who says nothing about anybody gets 0.5, not 0."""
    assert value(harrell_concordance(torch.zeros(30), cohort(30, 1))) == 0.5


@pytest.mark.parametrize(
    ("duration", "event", "reason"),
    [
        ([1.0, 2.0], [0, 0], "nobody has the event"),
        ([1.0, 2.0], [2, 0], "nobody has the event"),
        ([1.0], [1], "no comparable pair"),
        ([2.0, 2.0, 1.0], [1, 1, 0], "no comparable pair"),
    ],
)
def test_what_the_data_do_not_tell_is_undefined(
    duration: list[float], event: list[int], reason: str
) -> None:
    """All censored, one subject, or an event last: no value, and a reason."""
    target = SurvivalTarget(torch.tensor(duration), torch.tensor(event))

    result = harrell_concordance(torch.rand(len(duration)), target)

    assert isinstance(result, Undefined)
    assert reason in result.reason


@pytest.mark.parametrize(
    ("score", "settings", "message"),
    [
        (torch.rand(3, 5), {}, r"risk_score needs one number per subject, .*shape \(3, 5\)"),
        (torch.tensor([1.0, float("nan"), 0.0]), {}, "risk_score must be finite, but row 1"),
        (torch.tensor([1.0, 0.0, float("inf")]), {}, "risk_score must be finite, but row 2"),
        (torch.rand(2), {}, "each of 3 subjects, not 2"),
        (np.zeros(3), {}, "risk_score must be a tensor, not ndarray"),
        (torch.rand(3), {"cause": 0}, "cause must be"),
        (torch.rand(3), {"tau": -1.0}, "tau must be"),
        (torch.rand(3), {"competing": "ignored"}, "competing must be"),
        (torch.rand(3), {"tied_tolerance": -1.0}, "tied_tolerance must be"),
    ],
)
def test_bad_input_is_refused_by_name(score: Any, settings: Any, message: str) -> None:
    """A matrix of curves, NaN, a wrong length or word: the message names the argument."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 0, 1]))

    with pytest.raises(DataError, match=message):
        harrell_concordance(score, target, **settings)


def test_undefined_has_no_value() -> None:
    """It cannot slip into an average or a truth test."""
    undefined = Undefined("no event", 3, 0)

    assert not hasattr(undefined, "value")
    assert undefined.to_json() == {"reason": "no event", "n": 3, "events": 0}
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(undefined)
