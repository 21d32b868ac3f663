"""Radiomic features of one region of interest, of any form, in a plane or a volume."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.radiomics.check_region import check_region
from survkit.radiomics.region_features import region_features
from survkit.radiomics.settings import RadiomicsSettings


def roi_features(
    image: Tensor,
    mask: Tensor,
    spacing: Sequence[float],
    settings: RadiomicsSettings | None = None,
) -> Tensor:
    """Compute the 93 features of the voxels of a mask.

    Voxels outside the mask never enter: no pair, run, zone or neighbourhood reaches them.
    Directions are the 4 of a plane or the 13 of a volume, whatever the spacing: anisotropic
    images are to be resampled first. Where a feature is not defined it is NaN
    (``docs/radiomics.md``).

    Args:
        image: (y, x) or (z, y, x), integer or floating.
        mask: bool, same shape; any form, also of several parts.
        spacing: mm along each axis, in the order of the shape; only the total energy needs it.
        settings: Bins and neighbourhood; bins of width 25 if left out.

    Returns:
        float64 (93) on the image's device, in the order of :data:`FEATURE_NAMES`.

    Raises:
        DataError: Shapes, dtypes or spacing do not fit, the mask is empty, a voxel in it is not
            finite, or it spans more than 65,536 grey levels.

    Example:
        >>> import torch
        >>> image, mask = torch.arange(64.0).view(8, 8), torch.ones(8, 8, dtype=torch.bool)
        >>> roi_features(image, mask, (1.0, 1.0)).shape
        torch.Size([93])
    """
    check_region(mask, spacing)
    _check_image(image, mask)
    where = mask.nonzero()
    low, high = where.amin(dim=0).tolist(), where.amax(dim=0).tolist()
    window = tuple(slice(first, last + 1) for first, last in zip(low, high, strict=True))
    inside, values = mask[window], image.detach()[window].double()[mask[window]]
    _check_finite(values, where)
    inside = inside if inside.ndim == 3 else inside[None]
    depth, height, width = inside.shape
    full = None if bool(inside.all()) else inside
    return region_features(
        values[None],
        (depth, height, width),
        full,
        prod(spacing),
        settings or RadiomicsSettings(),
    )[0]


def _check_image(image: Tensor, mask: Tensor) -> None:
    if image.shape != mask.shape:
        raise DataError(
            f"image and mask must have one shape, not {tuple(image.shape)} and {tuple(mask.shape)}"
        )
    if image.dtype == torch.bool or image.is_complex():
        raise DataError(f"the image must be integer or floating, not {image.dtype}; convert it")


def _check_finite(values: Tensor, where: Tensor) -> None:
    wrong = (~values.isfinite()).nonzero().flatten()
    if len(wrong):
        raise DataError(
            f"every voxel of the mask must be finite, but voxel {tuple(where[wrong[0]].tolist())} "
            f"is {float(values[wrong[0]])} ({len(wrong)} such voxels); mend the image or the mask"
        )
