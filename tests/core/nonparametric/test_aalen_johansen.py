"""Aalen–Johansen against R's survival, scikit-survival and identities."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from survkit.errors import DataError
from survkit.nonparametric.aalen_johansen import aalen_johansen
from survkit.nonparametric.kaplan_meier import kaplan_meier

FOLDER = Path(__file__).parents[1] / "golden" / "metrics"
GOLDEN = json.loads((FOLDER / "golden.json").read_text())
COHORT = json.loads((FOLDER / "golden_ii.json").read_text())["cohort"]
EXPECTED = json.loads((FOLDER / "golden_iii.json").read_text())


def test_incidence_equals_r() -> None:
    """Progression and death without progression in mgus2 equal survfit's state probabilities."""
    data = GOLDEN["mgus2"]
    curves = aalen_johansen(torch.tensor(data["duration"]), torch.tensor(data["event"]), 2)

    values = curves.at(GOLDEN["months"])
    torch.testing.assert_close(values[0].tolist(), GOLDEN["aj"]["progression"])
    torch.testing.assert_close(values[1].tolist(), GOLDEN["aj"]["death"])


@pytest.mark.parametrize("cause", [1, 2])
def test_incidence_and_variance_equal_cmprsk(cause: int) -> None:
    """Gray's cuminc gives Aalen's variance too; without ties, where its formula differs."""
    duration = torch.tensor(COHORT["duration"], dtype=torch.float64)
    curves = aalen_johansen(duration, torch.tensor(COHORT["cause"]), 2)
    times = torch.tensor(EXPECTED["times"], dtype=torch.float64)
    place = torch.searchsorted(curves.times, times, right=True) - 1

    variance = curves.variance[cause - 1, place]

    expected = EXPECTED["incidence"]
    assert curves.at(times)[cause - 1].tolist() == pytest.approx(expected[f"value_{cause}"])
    assert variance.tolist() == pytest.approx(expected[f"variance_{cause}"], rel=1e-10)


@pytest.mark.parametrize("cause", [1, 2])
def test_entry_and_weights_equal_r(cause: int) -> None:
    """Delayed entry of a quarter of the subjects, and case weights, both with ties: survfit."""
    duration = torch.tensor(COHORT["duration"], dtype=torch.float64).ceil()
    number = torch.arange(1, len(duration) + 1)
    given = {
        "entry": torch.where(number % 4 == 0, duration / 2, 0.0),
        "weight": 1 + number.double() % 3,
    }
    for name, values in given.items():
        curves = aalen_johansen(duration, torch.tensor(COHORT["cause"]), 2, **{name: values})

        found = curves.at(EXPECTED["times"])[cause - 1].tolist()

        assert found == pytest.approx(EXPECTED["incidence"][f"{name}_{cause}"], rel=1e-12)


def test_variance_equals_scikit_survival() -> None:
    """Aalen's variance and the log(-log) bounds equal an independent implementation, with ties."""
    sksurv = pytest.importorskip("sksurv.nonparametric")
    generator = np.random.default_rng(5)
    duration = generator.integers(1, 20, 80).astype(float)
    event = generator.integers(0, 3, 80)

    curves = aalen_johansen(torch.from_numpy(duration), torch.from_numpy(event), 2)
    times, incidence, bounds = sksurv.cumulative_incidence_competing_risks(
        event, duration, conf_type="log-log", var_type="Aalen"
    )

    np.testing.assert_array_equal(curves.times.numpy(), times)
    np.testing.assert_allclose(curves.incidence.numpy(), incidence[1:], atol=1e-12)
    np.testing.assert_allclose(curves.lower.numpy(), bounds[1:, 0], atol=1e-10)
    np.testing.assert_allclose(curves.upper.numpy(), bounds[1:, 1], atol=1e-10)


def test_incidences_and_survival_sum_to_one() -> None:
    """Everybody is event-free or had one cause."""
    duration = torch.tensor([1.0, 2.0, 2.0, 3.0, 4.0])
    curves = aalen_johansen(duration, torch.tensor([1, 2, 0, 1, 3]), 3)

    torch.testing.assert_close(
        curves.incidence.sum(0) + curves.survival, torch.ones(4, dtype=torch.float64)
    )


def test_one_cause_is_one_minus_kaplan_meier() -> None:
    """Without competition incidence is 1 - survival, also with entry and weights."""
    duration = torch.tensor([2.0, 2.0, 3.0, 5.0, 7.0])
    event = torch.tensor([1, 0, 1, 1, 0])
    optional = {"entry": torch.tensor([0.0, 1.0, 0.0, 2.0, 3.0]), "weight": torch.arange(1, 6)}

    curves = aalen_johansen(duration, event, 1, **optional)
    survival = kaplan_meier(duration, event == 1, **optional).survival

    torch.testing.assert_close(curves.incidence[0], 1 - survival)


def test_code_beyond_the_causes_is_refused() -> None:
    """A third cause cannot be dropped unseen."""
    with pytest.raises(DataError, match="causes=2, but row 1 holds 3"):
        aalen_johansen(torch.tensor([1.0, 2.0]), torch.tensor([1, 3]), 2)
