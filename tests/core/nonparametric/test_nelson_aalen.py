"""Nelson–Aalen against R's survival, lifelines and closed forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from survkit.errors import DataError
from survkit.nonparametric.nelson_aalen import CumulativeHazardCurve, nelson_aalen

FOLDER = Path(__file__).parents[1] / "golden" / "metrics"
GOLDEN = json.loads((FOLDER / "golden_ii.json").read_text())
VETERAN = {
    name: torch.tensor(values)
    for name, values in json.loads((FOLDER / "golden.json").read_text())["veteran"].items()
}


def veteran(**optional: str) -> CumulativeHazardCurve:
    extra = {name: VETERAN[column].double() for name, column in optional.items()}
    return nelson_aalen(VETERAN["duration"], VETERAN["event"] == 1, **extra)


@pytest.mark.parametrize(
    ("reference", "optional"),
    [
        ("nelson_aalen", {}),
        ("nelson_aalen_weight", {"weight": "diagtime"}),
        ("nelson_aalen_entry", {"entry": "entry"}),
    ],
)
def test_hazard_and_its_error_equal_r(reference: str, optional: dict[str, str]) -> None:
    """Ties, case weights and delayed entry give survfit's cumhaz and std.chaz."""
    curve, times = veteran(**optional), torch.tensor(GOLDEN["times"]).double()
    place = torch.searchsorted(curve.times, times, right=True) - 1

    torch.testing.assert_close(curve.at(times).tolist(), GOLDEN[reference]["value"])
    torch.testing.assert_close(curve.variance.sqrt()[place].tolist(), GOLDEN[reference]["error"])


def test_bounds_equal_lifelines() -> None:
    """The log interval of an independent implementation, which breaks no ties here."""
    lifelines = pytest.importorskip("lifelines")
    duration = torch.tensor([1.0, 2.0, 3.5, 4.0, 6.0, 7.0, 9.0])
    observed = torch.tensor([True, True, False, True, True, False, True])
    fitted = lifelines.NelsonAalenFitter().fit(duration.numpy(), observed.numpy())
    bounds = fitted.confidence_interval_.loc[duration.numpy()].to_numpy()

    lower, upper = nelson_aalen(duration, observed).bounds_at(duration)

    torch.testing.assert_close(lower, torch.from_numpy(bounds[:, 0]), rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(upper, torch.from_numpy(bounds[:, 1]), rtol=1e-6, atol=1e-9)


def test_bounds_enclose_the_hazard_and_start_at_zero() -> None:
    """Before the first event nothing is uncertain; afterwards the interval holds the value."""
    curve = veteran()
    lower, upper = curve.bounds_at([0.5, 100.0])

    assert (float(lower[0]), float(upper[0])) == (0.0, 0.0)
    assert float(lower[1]) < float(curve.at([100.0])[0]) < float(upper[1])


def test_integer_weights_are_repeated_subjects() -> None:
    """A subject of weight three is three subjects, for hazard and variance."""
    duration, observed = torch.tensor([1.0, 2.0, 2.0, 5.0]), torch.tensor([True, False, True, True])
    times = torch.tensor([3, 1, 2, 4])

    weighted = nelson_aalen(duration, observed, weight=times)
    repeated = nelson_aalen(duration.repeat_interleave(times), observed.repeat_interleave(times))

    torch.testing.assert_close(weighted.cumulative_hazard, repeated.cumulative_hazard)
    torch.testing.assert_close(weighted.upper, repeated.upper)


def test_nobody_observed_keeps_the_hazard_at_zero() -> None:
    """Without events the hazard is 0 with a degenerate interval."""
    curve = nelson_aalen(torch.tensor([3.0]), torch.tensor([False]))

    assert (curve.cumulative_hazard.tolist(), curve.upper.tolist()) == ([0.0], [0.0])


@pytest.mark.parametrize(
    ("duration", "observed", "message"),
    [
        (torch.tensor([1.0, float("nan")]), torch.tensor([True, True]), "duration must be finite"),
        (torch.tensor([1.0]), torch.tensor([1]), "observed must be a bool tensor"),
        (torch.tensor([]), torch.tensor([], dtype=torch.bool), "holds no subject"),
    ],
)
def test_bad_input_is_refused_by_name(duration: Any, observed: Any, message: str) -> None:
    """The message names the argument and what is wrong with it."""
    with pytest.raises(DataError, match=message):
        nelson_aalen(duration, observed)
