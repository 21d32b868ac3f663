"""What the tests of radiomics share: the same region through pyradiomics, and how to compare."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from survkit.radiomics import FEATURE_CLASSES, FEATURE_NAMES, RadiomicsSettings

RELATIVE, ABSOLUTE = 1e-6, 1e-9


def extractor(settings: RadiomicsSettings, *, plane: bool) -> Any:
    """Return an extractor of pyradiomics with all 93 features and the same settings."""
    pytest.importorskip("SimpleITK")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        featureextractor = pytest.importorskip("radiomics.featureextractor")
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)  # its import sets another level
    bins = (
        {"binWidth": settings.bin_width}
        if settings.bin_width is not None
        else {"binCount": settings.bin_count}
    )
    made = featureextractor.RadiomicsFeatureExtractor(
        additionalInfo=False,
        force2D=plane,
        minimumROIDimensions=1,
        minimumROISize=1,
        distances=[settings.distance],
        gldm_a=int(settings.gldm_alpha),
        **bins,
    )
    made.disableAllFeatures()
    for name in FEATURE_CLASSES:
        made.enableFeatureClassByName(name)
    return made


def pyradiomics_values(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    spacing: Sequence[float] | None = None,
    settings: RadiomicsSettings | None = None,
) -> Tensor:
    """Return the 93 values of pyradiomics, in our order; a plane is a volume of one slice."""
    import SimpleITK

    mask = np.ones(image.shape, dtype=bool) if mask is None else mask
    spacing = spacing or (1.0,) * image.ndim
    made = extractor(settings or RadiomicsSettings(), plane=image.ndim == 2)
    if image.ndim == 2:
        image, mask, spacing = image[None], mask[None], (1.0, *spacing)
    volume = SimpleITK.GetImageFromArray(image)
    label = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    volume.SetSpacing([float(mm) for mm in reversed(spacing)])
    label.CopyInformation(volume)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = made.execute(volume, label)
    return in_our_order({name.removeprefix("original_"): value for name, value in found.items()})


def in_our_order(found: Mapping[str, Any]) -> Tensor:
    """Return the values of all our names, and refuse other names."""
    assert set(found) == set(FEATURE_NAMES)
    return torch.tensor([float(found[name]) for name in FEATURE_NAMES], dtype=torch.float64)


def assert_equal_features(
    ours: Tensor, theirs: Tensor, *, without: Sequence[str] = (), relative: float = RELATIVE
) -> None:
    """Assert 93 equal values, and say which features differ.

    Imc2 is the square root of a difference of entropies: where that is 0, its rounding of 1e-16
    is 1e-8 under the root.
    """
    floor = torch.full((93,), ABSOLUTE, dtype=torch.float64)
    floor[FEATURE_NAMES.index("glcm_Imc2")] = 1e-7
    same = (ours - theirs).abs() <= floor + relative * theirs.abs()
    same |= ours.isnan() & theirs.isnan()
    wrong = {
        name: (float(ours[column]), float(theirs[column]))
        for column, name in enumerate(FEATURE_NAMES)
        if not same[column] and name not in without
    }
    assert wrong == {}
