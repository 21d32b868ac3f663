"""Radiomic features of the patches of images, all patches together."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.radiomics.names import FEATURE_NAMES
from survkit.radiomics.region_features import region_features
from survkit.radiomics.settings import RadiomicsSettings

VOXELS = 2**18
"""Pixels that are worked on at once: 256 patches of 32 x 32, some MiB, which a cache can hold."""


def patch_features(images: Tensor, patch: int, settings: RadiomicsSettings | None = None) -> Tensor:
    """Compute the 93 features of every patch of every image.

    Each patch is a region of its own: its grey levels begin at its own minimum, and no neighbour
    lies outside it. Values do not depend on which patches are computed together, and no gradient
    flows through them. The total energy takes a pixel as 1 mm^2. All 93 features of a patch have
    a value, also of a flat one (``docs/radiomics.md`` says which).

    Args:
        images: (batch, y, x), integer or floating; both sides multiples of ``patch``.
        patch: Side of a patch in pixels, at least 2.
        settings: Bins and neighbourhood; bins of width 25 if left out.

    Returns:
        float64 (batch, patch, 93) on the images' device, patches row by row, features in the
        order of :data:`FEATURE_NAMES`.

    Raises:
        DataError: Images of the wrong shape or dtype, a pixel that is not finite, a patch that
            spans more than 65,536 grey levels.

    Example:
        >>> import torch
        >>> patch_features(torch.zeros(2, 64, 96), 32).shape
        torch.Size([2, 6, 93])
    """
    _check_images(images, patch)
    settings = settings or RadiomicsSettings()
    batch, height, width = images.shape
    rows, columns = height // patch, width // patch
    cut = images.reshape(batch, rows, patch, columns, patch).transpose(2, 3)
    regions = cut.reshape(batch * rows * columns, patch * patch)
    features = [
        region_features(some.detach().double(), (1, patch, patch), None, 1.0, settings)
        for some in torch.split(regions, max(1, VOXELS // patch**2))
    ]
    return torch.cat(features).view(batch, rows * columns, len(FEATURE_NAMES))


def _check_images(images: Tensor, patch: int) -> None:
    if isinstance(patch, bool) or not isinstance(patch, int) or patch < 2:
        raise DataError(f"a patch must be a whole number of at least 2 pixels, not {patch!r}")
    if images.ndim != 3 or 0 in images.shape or any(side % patch for side in images.shape[1:]):
        raise DataError(
            f"images must have shape (batch, y, x) with sides that are multiples of the patch of "
            f"{patch} pixels, not {tuple(images.shape)}; resize or crop them first"
        )
    if images.dtype == torch.bool or images.is_complex():
        raise DataError(f"images must be integer or floating, not {images.dtype}; convert them")
    if images.is_floating_point():
        _check_finite(images)


def _check_finite(images: Tensor) -> None:
    finite = images.isfinite().flatten(1).all(dim=1)
    if not finite.all():
        image = int((~finite).nonzero()[0])
        place = [int(axis) for axis in (~images[image].isfinite()).nonzero()[0]]
        raise DataError(
            f"every pixel must be finite, but pixel (y, x) = {tuple(place)} of image {image} is "
            f"{float(images[image][tuple(place)])}; mend the image before its features"
        )
