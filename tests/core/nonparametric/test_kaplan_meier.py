"""Kaplan–Meier against R's survival, lifelines and closed forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.nonparametric.kaplan_meier import SurvivalCurve, kaplan_meier
from survkit.nonparametric.risk_table import numbers_at_risk

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics" / "golden.json"


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return json.loads(GOLDEN.read_text())


def veteran(golden: dict[str, Any], **optional: str) -> SurvivalCurve:
    data = {name: torch.tensor(values) for name, values in golden["veteran"].items()}
    extra = {name: data[column].double() for name, column in optional.items()}
    return kaplan_meier(data["duration"], data["event"] == 1, **extra)


@pytest.mark.parametrize(
    ("reference", "optional"),
    [("km", {}), ("km_weight", {"weight": "diagtime"}), ("km_entry", {"entry": "entry"})],
)
def test_survival_and_bounds_equal_r(
    golden: dict[str, Any], reference: str, optional: dict[str, str]
) -> None:
    """Ties, case weights and delayed entry give survfit's numbers (conf.type log-log)."""
    curve = veteran(golden, **optional)
    lower, upper = curve.bounds_at(golden["times"])

    torch.testing.assert_close(curve.at(golden["times"]).tolist(), golden[reference]["survival"])
    torch.testing.assert_close(lower.tolist(), golden[reference]["lower"])
    torch.testing.assert_close(upper.tolist(), golden[reference]["upper"])


def test_numbers_at_risk_equal_r(golden: dict[str, Any]) -> None:
    """Who leaves at t is still counted at t; who enters later is not."""
    data = {name: torch.tensor(values) for name, values in golden["veteran"].items()}
    plain = SurvivalTarget(data["duration"].double(), data["event"])
    late = SurvivalTarget(data["duration"].double(), data["event"], entry=data["entry"].double())

    assert numbers_at_risk(plain, golden["times"]).tolist() == golden["at_risk"]
    assert numbers_at_risk(late, golden["times"]).tolist() == golden["at_risk_entry"]


def test_integer_weights_are_repeated_subjects() -> None:
    """A subject of weight three is three subjects, for curve and variance."""
    duration = torch.tensor([1.0, 2.0, 2.0, 5.0])
    observed = torch.tensor([True, False, True, False])
    times = torch.tensor([3, 1, 2, 4])

    weighted = kaplan_meier(duration, observed, weight=times)
    repeated = kaplan_meier(duration.repeat_interleave(times), observed.repeat_interleave(times))

    torch.testing.assert_close(weighted.survival, repeated.survival)
    torch.testing.assert_close(weighted.variance, repeated.variance)


def test_limits_from_both_sides_differ_at_an_event_only() -> None:
    """S(t-) is the value before the jump at t, S(t) the one after."""
    curve = kaplan_meier(torch.tensor([1.0, 2.0]), torch.tensor([True, False]))

    assert curve.at([0.5, 1.0, 2.0, 9.0]).tolist() == [1.0, 0.5, 0.5, 0.5]
    assert curve.before([0.5, 1.0, 2.0, 9.0]).tolist() == [1.0, 1.0, 0.5, 0.5]


def test_equals_lifelines(golden: dict[str, Any]) -> None:
    """An independent implementation agrees at every duration."""
    lifelines = pytest.importorskip("lifelines")
    data = golden["veteran"]
    fitted = lifelines.KaplanMeierFitter().fit(data["duration"], data["event"])
    curve = veteran(golden)

    expected = fitted.predict(curve.times.numpy()).to_numpy()
    torch.testing.assert_close(curve.survival, torch.from_numpy(expected))


def test_nobody_observed_keeps_the_curve_at_one() -> None:
    """Without events survival is 1 with a degenerate interval."""
    curve = kaplan_meier(torch.tensor([3.0]), torch.tensor([False]))

    assert (curve.survival.tolist(), curve.lower.tolist()) == ([1.0], [1.0])


@pytest.mark.parametrize(
    ("duration", "observed", "optional", "message"),
    [
        (torch.tensor([1.0, float("nan")]), torch.tensor([True, True]), {}, "duration must be fin"),
        (torch.tensor([-1.0]), torch.tensor([True]), {}, "duration must not be negative"),
        (torch.tensor([[1.0]]), torch.tensor([True]), {}, "one number per subject"),
        (torch.tensor([1.0]), torch.tensor([2]), {}, "observed must be a bool tensor"),
        (torch.tensor([1.0]), torch.tensor([True, True]), {}, "each of 1 subjects, not 2"),
        (torch.tensor([]), torch.tensor([], dtype=torch.bool), {}, "holds no subject"),
        ([1.0], torch.tensor([True]), {}, "duration must be a tensor, not list"),
        (torch.ones(1), torch.tensor([True]), {"entry": torch.ones(1)}, "before the duration"),
        (torch.ones(1), torch.tensor([True]), {"weight": torch.zeros(1)}, "weight must be positiv"),
        (torch.ones(1), torch.tensor([True]), {"level": 95}, "level must lie between"),
    ],
)
def test_bad_input_is_refused_by_name(
    duration: Any, observed: Any, optional: dict[str, Any], message: str
) -> None:
    """The message names the argument and what is wrong with it."""
    with pytest.raises(DataError, match=message):
        kaplan_meier(duration, observed, **optional)
