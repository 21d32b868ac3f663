"""C^td against pycox, brute force and the definition, with ties and competing causes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from survkit.errors import DataError
from survkit.flow import SurvivalTarget, select
from survkit.metrics import (
    adjusted_antolini_concordance,
    antolini_concordance,
    antolini_from_prediction,
    harrell_concordance,
)
from survkit.metrics.estimate import Estimate, Undefined
from survkit.prediction import GridPrediction

GRID = torch.tensor([3.0, 6.0, 9.0, 12.0, 15.0, 21.0], dtype=torch.float64)


def value(result: object) -> float:
    assert isinstance(result, Estimate), result
    return result.value


def random_case(
    n: int, seed: int, *, on_grid: bool, digits: int = 6, **fields: bool
) -> tuple[torch.Tensor, torch.Tensor, SurvivalTarget]:
    """Random incidence curves (batch, 6), each subject's column, and a target with two causes."""
    generator = torch.Generator().manual_seed(seed)
    duration = torch.rand(n, generator=generator, dtype=torch.float64) * 20 + 1
    column = torch.searchsorted(GRID, duration)
    early = torch.rand(n, generator=generator, dtype=torch.float64)
    steps = torch.rand(n, 6, generator=generator, dtype=torch.float64) ** 2 / 6
    target = SurvivalTarget(
        GRID[column] if on_grid else duration,
        torch.randint(0, 3, (n,), generator=generator),
        entry=(early * duration).clamp(max=2.5) if fields.get("entry") else None,
        weight=early + 0.5 if fields.get("weight") else None,
        strata=torch.randint(0, 3, (n,), generator=generator) if fields.get("strata") else None,
    )
    return steps.cumsum(1).float().double().round(decimals=digits), column, target


def brute(
    incidence: torch.Tensor, column: torch.Tensor, target: SurvivalTarget, competing: str
) -> float:
    """The definition, pair by pair; tied predictions count one half."""
    top = bottom = 0.0
    for i in range(len(column)):
        if target.event[i] != 1:
            continue
        for j in range(len(column)):
            t_i, t_j = float(target.duration[i]), float(target.duration[j])
            if competing == "at-risk" and target.event[j] == 2:
                t_j = float("inf")
            if not (t_i < t_j or (t_i == t_j and target.event[j] != 1)):
                continue
            if target.entry is not None and target.entry[j] >= t_i:
                continue
            if target.strata is not None and target.strata[i] != target.strata[j]:
                continue
            pair = 1.0 if target.weight is None else float(target.weight[i] * target.weight[j])
            own, other = float(incidence[i, column[i]]), float(incidence[j, column[i]])
            bottom += pair
            top += pair * (float(own > other) + 0.5 * float(own == other))
    return top / bottom


def always_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send even few subjects through sorting, heads and tails."""
    monkeypatch.setattr("survkit.metrics.antolini.MATRIX_SUBJECTS", 0)
    monkeypatch.setattr("survkit.metrics.column_counts.SMALL_CELLS", 40)
    monkeypatch.setattr("survkit.metrics.column_counts.FEW_EVENTS", 2)


def test_published_value_of_four_subjects() -> None:
    """The inclusive C_td of a worked example: five of six pairs."""
    mass = torch.tensor(
        [
            [0.40, 0.25, 0.15, 0.10, 0.10],
            [0.10, 0.30, 0.30, 0.20, 0.10],
            [0.05, 0.10, 0.15, 0.30, 0.40],
            [0.20, 0.20, 0.20, 0.20, 0.20],
        ],
        dtype=torch.float64,
    )
    column = torch.tensor([0, 2, 3, 1])
    target = SurvivalTarget(column.double(), torch.tensor([1, 1, 0, 1]))

    assert value(antolini_concordance(mass.cumsum(1), column, target, tie_score=0)) == 5 / 6
    assert value(antolini_concordance(mass.cumsum(1), column, target)) == 5.5 / 6  # one tied pair


@pytest.mark.parametrize("n", [120, 1500])
@pytest.mark.parametrize("on_grid", [True, False])
@pytest.mark.parametrize("digits", [6, 2])
def test_equals_pycox_to_the_last_bit(n: int, on_grid: bool, digits: int) -> None:
    """Both of pycox's variants, with ties in time and in predictions, by every algorithm."""
    pycox = pytest.importorskip("pycox.evaluation.concordance")
    incidence, column, target = random_case(n, n, on_grid=on_grid, digits=digits)
    arguments = (
        target.duration.numpy(),
        (target.event == 1).numpy().astype("int32"),
        np.ascontiguousarray(-incidence.T.numpy()),  # a survival up to a constant
        column.numpy(),
    )

    strict = value(antolini_concordance(incidence, column, target, tie_score=0))
    adjusted = value(adjusted_antolini_concordance(incidence, column, target))

    assert strict == pycox.concordance_td(*arguments, "antolini")
    assert adjusted == pycox.concordance_td(*arguments, "adj_antolini")


@pytest.mark.parametrize("competing", ["censored", "at-risk"])
@pytest.mark.parametrize("on_grid", [True, False])
@pytest.mark.parametrize("fields", [{}, {"entry": True}, {"weight": True, "strata": True}])
def test_equals_the_definition(
    monkeypatch: pytest.MonkeyPatch, competing: Any, on_grid: bool, fields: dict[str, bool]
) -> None:
    """Few and many subjects give the double loop's value, with everything a target can hold."""
    incidence, column, target = random_case(90, 7, on_grid=on_grid, digits=2, **fields)
    expected = brute(incidence, column, target, competing)

    small = value(antolini_concordance(incidence, column, target, competing=competing))
    always_fast(monkeypatch)
    large = value(antolini_concordance(incidence, column, target, competing=competing))

    assert small == pytest.approx(expected, rel=1e-12)
    assert large == pytest.approx(expected, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.integers(1, 3))
def test_invariances(seed: int, on_grid: bool, digits: int) -> None:
    """Row order, and increasing changes of all predictions at one time, do nothing."""
    incidence, column, target = random_case(25, seed, on_grid=on_grid, digits=digits)
    result = antolini_concordance(incidence, column, target)
    if isinstance(result, Undefined):
        return
    order = torch.randperm(25, generator=torch.Generator().manual_seed(seed))

    shuffled = antolini_concordance(incidence[order], column[order], select(target, order))
    squared = antolini_concordance(incidence**2, column, target)
    reversed_ = antolini_concordance(1 - incidence, column, target)

    assert value(shuffled) == result.value
    assert value(squared) == result.value
    assert value(reversed_) == pytest.approx(1 - result.value)


def test_one_column_is_harrell() -> None:
    """A prediction that does not change with time orders subjects as a risk score does."""
    incidence, column, target = random_case(1000, 5, on_grid=False, digits=3)
    constant = incidence[:, 3:4]

    found = antolini_concordance(constant, torch.zeros_like(column), target)

    assert value(found) == value(harrell_concordance(constant[:, 0], target))


@pytest.mark.parametrize("n", [60, 900])
def test_prediction_is_evaluated_at_every_event_time(
    monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    """Blocks of event times give what one matrix with a column per subject gives."""
    steps, _, target = random_case(n, 3, on_grid=False)
    prediction = GridPrediction(GRID, torch.stack([steps, 1 - steps], dim=1) / 2, "linear")
    order = target.duration.argsort()
    full = prediction.cumulative_incidence(target.duration[order])[:, 0]
    expected = antolini_concordance(full, order.argsort(), target)
    monkeypatch.setattr("survkit.metrics.antolini_prediction.BLOCK_CELLS", 50 * n)

    assert value(antolini_from_prediction(prediction, target)) == value(expected)


def test_prediction_says_nothing_after_its_last_time() -> None:
    """Events after the horizon start no pair, and asking for them is refused."""
    prediction = GridPrediction(
        torch.tensor([1.0, 2.0], dtype=torch.float64),
        torch.tensor([[[0.1, 0.2]], [[0.3, 0.6]], [[0.2, 0.4]]], dtype=torch.float64),
        "linear",
    )
    target = SurvivalTarget(torch.tensor([1.5, 5.0, 6.0]), torch.tensor([1, 1, 0]))

    result = antolini_from_prediction(prediction, target)

    assert (value(result), result.events) == (0.0, 1)
    with pytest.raises(DataError, match="tau=5 lies beyond 2"):
        antolini_from_prediction(prediction, target, tau=5.0)
    with pytest.raises(DataError, match="cause 2 is not among the 1 predicted"):
        antolini_from_prediction(prediction, target, cause=2)


def test_constant_prediction_is_one_half_unless_ties_count_nothing() -> None:
    """The "antolini" of pycox gives 0 here; our default does not."""
    _, column, target = random_case(50, 1, on_grid=True)
    constant = torch.full((50, 6), 0.3)

    assert value(antolini_concordance(constant, column, target)) == 0.5
    assert value(antolini_concordance(constant, column, target, tie_score=0)) == 0


def test_single_precision_compares_as_given() -> None:
    """float32 predictions need no widening to be compared exactly."""
    incidence, column, target = random_case(900, 2, on_grid=False)

    single = antolini_concordance(incidence.float(), column, target)

    assert value(single) == value(antolini_concordance(incidence.float().double(), column, target))


def test_all_censored_is_undefined() -> None:
    """Without an event there is nothing to compare, whatever the algorithm."""
    incidence, column, target = random_case(20, 1, on_grid=True)
    censored = SurvivalTarget(target.duration, torch.zeros_like(target.event))

    for function in (antolini_concordance, adjusted_antolini_concordance):
        assert isinstance(function(incidence, column, censored), Undefined)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"incidence": torch.rand(3)}, r"incidence must be a \(batch=3, grid\) tensor"),
        ({"incidence": torch.full((3, 2), float("nan"))}, "probabilities between 0 and 1"),
        ({"incidence": torch.tensor([[0.0, 1.5]] * 3)}, "probabilities between 0 and 1"),
        ({"incidence": torch.zeros(3, 2, dtype=torch.int64)}, "floating-point"),
        ({"column": torch.tensor([0, 1, 2])}, "grid of 2 times, but row 2 holds 2"),
        ({"column": torch.tensor([0.0, 1.0, 1.0])}, "column must hold integer codes"),
        ({"tie_score": 0.7}, "tie_score must be 0 or 0.5"),
    ],
)
def test_bad_input_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    """The message names the argument."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 0, 1]))
    arguments = {"incidence": torch.rand(3, 2), "column": torch.tensor([0, 1, 1]), **change}

    with pytest.raises(DataError, match=message):
        antolini_concordance(
            arguments.pop("incidence"), arguments.pop("column"), target, **arguments
        )
