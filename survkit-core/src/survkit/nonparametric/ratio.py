"""Division where it means something, with a derivative that exists everywhere else too."""

from __future__ import annotations

import torch
from torch import Tensor


def ratio_where(known: Tensor, top: Tensor, bottom: Tensor) -> Tensor:
    """Return top / bottom where known, else 0.

    What is not known is never divided by: there a plain ``torch.where(known, top / bottom, 0)``
    has the right value but the derivative 0 · inf, which is NaN.
    """
    return torch.where(known, top / torch.where(known, bottom, 1.0), 0.0)
