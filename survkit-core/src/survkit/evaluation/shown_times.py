"""At which times of the grid metrics are shown over time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from survkit.evaluation.predictions import Predictions

MOST_TIMES = 12


def shown_columns(predictions: Predictions) -> Tensor:
    """Return up to twelve evenly spaced columns of the grid, the horizon among them; int64.

    >>> from types import SimpleNamespace
    >>> shown_columns(SimpleNamespace(time_grid=range(24))).tolist()
    [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23]
    """
    size = len(predictions.time_grid)
    number = min(size, MOST_TIMES)
    return torch.from_numpy(np.arange(1, number + 1) * size // number - 1)
