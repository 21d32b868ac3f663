"""The censoring distribution and its replicates."""

from __future__ import annotations

import pytest
import torch

from survkit.errors import DataError
from survkit.flow import SurvivalTarget, select
from survkit.nonparametric.censoring import censoring_survival, censoring_survival_replicates


def test_events_leave_before_censorings() -> None:
    """At time 2 one of four has the event first; then one of the remaining two is censored."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 2.0, 3.0]), torch.tensor([0, 1, 0, 2]))
    curve = censoring_survival(target)

    expected = torch.tensor([3 / 4, 3 / 8, 3 / 8], dtype=torch.float64)
    torch.testing.assert_close(curve.survival, expected)
    assert curve.before([2.0]).tolist() == [0.75]


def test_takes_a_target_only() -> None:
    """An event indicator cannot be passed, so it cannot be fitted by mistake."""
    with pytest.raises(DataError, match="training must be a SurvivalTarget, not Tensor"):
        censoring_survival(torch.tensor([1.0]))  # type: ignore[arg-type]


def test_replicates_equal_refitting() -> None:
    """Every row equals the curve of the resampled subjects."""
    generator = torch.Generator().manual_seed(1)
    duration = torch.randint(1, 9, (30,), generator=generator).double()
    event = torch.randint(0, 3, (30,), generator=generator)
    target = SurvivalTarget(duration, event)
    drawn = torch.randint(0, 30, (20, 30), generator=generator)
    counts = torch.stack([torch.bincount(row, minlength=30) for row in drawn])

    knots, survival = censoring_survival_replicates(target, counts)

    for rows, values in zip(drawn, survival, strict=True):
        torch.testing.assert_close(censoring_survival(select(target, rows)).at(knots), values)
