"""A model that predicts no number does not predict what the run says."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from survkit.errors import DataError
from survkit.stress.run_parts import check_reproduced


def predictions(**changes: float) -> Any:
    """Return three subjects, one cause, two times; the changes are of the second subject."""
    found = SimpleNamespace(
        subject=np.array(["a", "b", "c"]),
        risk_score=np.array([[0.1], [0.2], [0.4]]),
        cumulative_incidence=np.full((3, 1, 2), 0.3),
    )
    for name, value in changes.items():
        getattr(found, name)[1] = value
    return found


def test_equal_predictions_pass() -> None:
    """The very same numbers."""
    check_reproduced(predictions(), SimpleNamespace(name="fold-0", table=predictions()), Path())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["risk_score", "cumulative_incidence"])
@pytest.mark.parametrize("value", [float("nan"), 0.9])
def test_another_or_no_number_is_refused(name: str, value: float) -> None:
    """Every comparison with NaN is false; it is not a match."""
    part: Any = SimpleNamespace(name="fold-0", table=predictions())

    with pytest.raises(DataError, match=r"for subject 'b'.*\(1 such subjects\)"):
        check_reproduced(predictions(**{name: value}), part, Path())
