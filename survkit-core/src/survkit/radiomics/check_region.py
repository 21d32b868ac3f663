"""Refusing masks and spacings that describe no region."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import torch
from torch import Tensor

from survkit.errors import DataError


def check_region(mask: Tensor, spacing: Sequence[float]) -> None:
    """Refuse a mask and a spacing that do not belong together, and an empty mask.

    Args:
        mask: bool (y, x) or (z, y, x).
        spacing: mm along each axis, in the order of the shape.

    Raises:
        DataError: Shape or dtype of the mask or the spacing is wrong, or no voxel is True.
    """
    if mask.ndim not in (2, 3) or mask.dtype != torch.bool:
        raise DataError(
            f"a mask must be bool of shape (y, x) or (z, y, x), not {mask.dtype} of shape "
            f"{tuple(mask.shape)}; write mask == label"
        )
    if len(spacing) != mask.ndim or not all(isfinite(mm) and mm > 0 for mm in spacing):
        raise DataError(
            f"spacing must be {mask.ndim} finite numbers > 0 (mm, in the order of the shape), "
            f"not {tuple(spacing)}"
        )
    if not mask.any():
        raise DataError("the mask is empty: no voxel is True; leave this region out")
