"""Shape features of a region of interest, through pyradiomics."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from torch import Tensor

from survkit.errors import DataError, MissingExtraError
from survkit.radiomics.check_region import check_region


def shape_features(mask: Tensor, spacing: Sequence[float]) -> dict[str, float]:
    """Compute the shape features of a mask: 14 in a volume, 9 in a plane.

    They measure a mesh around the mask, which is an algorithm of its own; so they come from
    pyradiomics and not from here. The mask is the region at every place, whatever the image holds.

    Args:
        mask: bool (y, x) or (z, y, x); extends along two axes at least.
        spacing: mm along each axis, in the order of the shape.

    Returns:
        Value by name: ``shape_MeshVolume`` and so on, ``shape2D_Perimeter`` and so on in a plane.

    Raises:
        DataError: Mask or spacing is wrong, or pyradiomics refuses the mask.
        MissingExtraError: pyradiomics is not installed.

    Reference: van Griethuysen et al., Cancer Res 77:e104 (2017).
    """
    check_region(mask, spacing)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports and of its own old ways
        simpleitk, extractor_class = _library()
        with _silenced():
            return _found(simpleitk, extractor_class(additionalInfo=False), mask, spacing)


def shape_version() -> str:
    """Return the version of pyradiomics, whichever distribution brought it.

    Raises:
        MissingExtraError: It is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _library()
        import radiomics
    return str(radiomics.__version__)


def _found(
    simpleitk: Any, extractor: Any, mask: Tensor, spacing: Sequence[float]
) -> dict[str, float]:
    image = simpleitk.GetImageFromArray(mask.cpu().numpy().astype(np.uint8))
    image.SetSpacing([float(mm) for mm in reversed(spacing)])
    group = "shape" if mask.ndim == 3 else "shape2D"
    extractor.disableAllFeatures()
    extractor.enableFeatureClassByName(group)
    try:
        found = extractor.execute(image, image)
    except ValueError as error:
        raise DataError(
            f"a mask of {int(mask.sum())} voxels has no shape features: pyradiomics says "
            f"'{error}'; leave this region out"
        ) from error
    # of a cube, say, eigenvalues come as complex numbers whose imaginary part is 0 but for rounding
    return {name.removeprefix("original_"): float(np.real(value)) for name, value in found.items()}


def _library() -> tuple[Any, Any]:
    """Return SimpleITK and the class of the extractor, or say what would install them."""
    try:
        import SimpleITK
        from radiomics import featureextractor
    except ImportError as error:
        raise MissingExtraError(
            f"shape features need the package {error.name or 'radiomics'}, which is not installed: "
            "pip install 'survkit-core[pyradiomics]'"
        ) from error
    return SimpleITK, featureextractor.RadiomicsFeatureExtractor


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep pyradiomics from logging every region."""
    logger = logging.getLogger("radiomics")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
