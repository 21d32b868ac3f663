"""Targets that nothing can be learned from are refused with their first row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from survkit.checks import check_target
from survkit.errors import DataError
from survkit.flow import SurvivalTarget

GOOD = SurvivalTarget(
    duration=torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64),
    event=torch.tensor([0, 1, 2]),
    entry=torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64),
    weight=torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64),
    strata=torch.tensor([0, 0, 7]),
)


def column(*values: float) -> torch.Tensor:
    """A float64 column."""
    return torch.tensor(values, dtype=torch.float64)


def test_a_usable_target_passes() -> None:
    """With and without the optional columns."""
    check_target(GOOD, 2)
    check_target(SurvivalTarget(GOOD.duration, GOOD.event), 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"duration": column(1, 0, 3)}, "finite and > 0, but row 1 has 0 "),
        ({"duration": column(1, 2, float("nan"))}, "row 2 has nan"),
        ({"duration": column(float("inf"), 2, 3)}, "row 0 has inf"),
        ({"duration": column(1, -2, -3)}, r"row 1 has -2 \(2 such rows\)"),
        ({"duration": torch.ones(3)}, "must be torch.float64 .* not torch.float32"),
        ({"duration": column(1, 2).reshape(2, 1)}, "shape"),
        ({"event": torch.tensor([0, 1, 3])}, r"0 \(censored\) to 2, but row 2 has 3"),
        ({"event": torch.tensor([0, -1, 1])}, "row 1 has -1"),
        ({"event": torch.tensor([False, True, True])}, "event must be torch.int64"),
        ({"event": torch.tensor([0, 1])}, r"shape \(3,\), not torch.int64 of shape \(2,\)"),
        ({"entry": column(0, 2, 2)}, "before the duration, but row 1 has 2"),
        ({"entry": column(0, 1, -1)}, "row 2 has -1"),
        ({"entry": column(float("nan"), 1, 1)}, "row 0 has nan"),
        ({"weight": column(1, 1, 0)}, "weights must be finite and > 0, but row 2 has 0"),
        ({"strata": column(0, 0, 1)}, "strata must be torch.int64"),
    ],
)
def test_what_cannot_be_used_is_refused(change: dict[str, Any], message: str) -> None:
    """Rule, first row, value and number of rows."""
    with pytest.raises(DataError, match=message):
        check_target(replace(GOOD, **change), 2)
