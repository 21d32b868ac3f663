"""D-calibration against its definition, closed forms and simulation."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.d_calibration import (
    DCalibration,
    bin_counts,
    d_calibration,
    d_calibration_from_prediction,
)
from survkit.metrics.estimate import Undefined
from survkit.nonparametric.chi_square import chi_square_p_value
from survkit.prediction import GridPrediction


def defined(result: DCalibration | Undefined) -> DCalibration:
    assert isinstance(result, DCalibration), result
    return result


def simulated(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, SurvivalTarget]:
    """Exponential durations with known rates, about a third censored."""
    generator = torch.Generator().manual_seed(seed)
    rate = torch.randn(n, generator=generator, dtype=torch.float64).mul(0.8).exp()
    duration = -torch.rand(n, generator=generator, dtype=torch.float64).log() / rate
    censored = -2 * torch.rand(n, generator=generator, dtype=torch.float64).log()
    target = SurvivalTarget(duration.minimum(censored), (duration <= censored).long())
    return rate, (-rate * target.duration).exp(), target


def brute(survival: float, observed: bool, bins: int) -> list[float]:
    """The rule for one subject, bin by bin: the overlap of each bin with [0, S(c)], over S(c)."""
    edges = [(b / bins, (b + 1) / bins) for b in range(bins)]
    if observed or survival == 0:
        own = min(int(survival * bins), bins - 1)
        return [float(b == own) for b in range(bins)]
    return [max(0.0, min(high, survival) - low) / survival for low, high in edges]


@pytest.mark.parametrize("bins", [2, 4, 10])
def test_bins_equal_the_definition(bins: int) -> None:
    """Events fall in one bin, censored subjects are spread evenly below their survival."""
    generator = torch.Generator().manual_seed(bins)
    survival = torch.rand(50, generator=generator, dtype=torch.float64)
    survival[:3] = torch.tensor([0.0, 1.0, 0.5])
    observed = torch.rand(50, generator=generator) < 0.5
    observed[:3] = False

    found = bin_counts(survival, observed, bins)

    rows = [
        brute(float(one), bool(event), bins) for one, event in zip(survival, observed, strict=True)
    ]
    torch.testing.assert_close(found, torch.tensor(rows, dtype=torch.float64).sum(0))
    assert float(found.sum()) == pytest.approx(50)


def test_statistic_by_hand() -> None:
    """Four events in two bins as 3 : 1 give a chi-square of 1 with one degree of freedom."""
    target = SurvivalTarget(torch.arange(4) + 1.0, torch.ones(4).long())

    result = defined(d_calibration(torch.tensor([0.1, 0.2, 0.3, 0.9]), target, bins=2))

    assert (result.share, result.statistic) == ((0.75, 0.25), pytest.approx(1.0))
    assert result.p_value == pytest.approx(chi_square_p_value(1.0, 1))
    assert "only 2 subjects per bin" in result.method
    json.dumps(result.to_json(), allow_nan=False)


def test_true_curves_are_uniform_and_wrong_ones_are_found() -> None:
    """Shares of the truth are a tenth each; half the hazard piles up above."""
    _, survival, target = simulated(20_000, 1)

    truth = defined(d_calibration(survival, target))
    wrong = defined(d_calibration(survival.sqrt(), target))

    assert truth.share == pytest.approx([0.1] * 10, abs=0.008)
    assert truth.p_value > 0.01
    assert wrong.p_value < 1e-12
    assert wrong.share[-1] > 0.15 > wrong.share[0]


@pytest.mark.parametrize("censoring", [False, True])
def test_size_of_the_test_in_simulation(censoring: bool) -> None:
    """Under the truth 5 % are rejected without censoring, and no more with it."""
    rejected = 0
    for seed in range(300):
        _, survival, target = simulated(200, seed)
        if not censoring:
            survival = torch.rand(200, generator=torch.Generator().manual_seed(seed)).double()
            target = SurvivalTarget(target.duration, torch.ones(200).long())
        rejected += defined(d_calibration(survival, target)).p_value < 0.05

    assert rejected / 300 < 0.09
    assert censoring or rejected / 300 > 0.02


def test_prediction_is_read_at_each_duration() -> None:
    """A typed prediction gives the same as its values, and ends at its last time."""
    rate, _, target = simulated(700, 3)
    grid = torch.linspace(0.01, 2.0, 200, dtype=torch.float64)
    incidence = (1 - (-rate[:, None] * grid).exp())[:, None]
    prediction = GridPrediction(grid, incidence, "linear")
    cut = target.duration.clamp(max=2.0)
    known = SurvivalTarget(cut, target.event.masked_fill(target.duration > 2, 0))
    values = torch.stack([prediction.survival([t])[i, 0] for i, t in enumerate(cut.tolist())])

    found = defined(d_calibration_from_prediction(prediction, target))

    expected = defined(d_calibration(values, known))
    assert found.share == pytest.approx(expected.share)
    assert found.events == expected.events < int(target.event.sum())


def test_competing_causes_are_taken_together() -> None:
    """The test is of survival from any cause, and its method says so."""
    _, survival, target = simulated(200, 4)
    causes = SurvivalTarget(target.duration, target.event * (1 + torch.arange(200) % 2))

    together, alone = defined(d_calibration(survival, causes)), d_calibration(survival, target)

    assert together.statistic == defined(alone).statistic
    assert together.method.endswith("events of all causes together")
    assert "all causes" not in defined(alone).method


def test_nobody_observed_is_undefined() -> None:
    """Spread censorings alone say nothing."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0]), torch.tensor([0, 0]))

    result = d_calibration(torch.tensor([0.5, 0.4]), target)

    assert isinstance(result, Undefined)
    assert "nobody has the event" in result.reason


@pytest.mark.parametrize(
    ("survival", "settings", "optional", "message"),
    [
        (torch.rand(3, 2), {}, {}, "survival needs one number per subject"),
        (torch.tensor([0.1, 0.2, 1.2]), {}, {}, "probabilities between 0 and 1"),
        (torch.tensor([0.1, float("nan"), 1.0]), {}, {}, "survival must be finite, but row 1"),
        (torch.rand(3), {"bins": 1}, {}, "bins must be a whole number from 2"),
        (torch.rand(3), {}, {"weight": torch.ones(3)}, r"target\.weight"),
        (torch.rand(3), {}, {"entry": torch.zeros(3)}, r"target\.entry"),
    ],
)
def test_bad_input_is_refused_by_name(
    survival: Any, settings: Any, optional: Any, message: str
) -> None:
    """The message names the argument."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 0, 1]), **optional)

    with pytest.raises(DataError, match=message):
        d_calibration(survival, target, **settings)


def test_predictions_of_others_are_refused() -> None:
    """A prediction of other subjects has another number of rows."""
    _, _, target = simulated(5, 1)
    prediction = GridPrediction(
        torch.tensor([9.0]).double(), torch.rand(4, 1, 1).double(), "linear"
    )

    with pytest.raises(DataError, match="the 5 subjects of the target, not 4"):
        d_calibration_from_prediction(prediction, target)
