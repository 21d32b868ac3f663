"""Where the lung mask comes from."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from survkit.errors import ConfigError, DataError, MissingExtraError
from survkit_slicetention.preparation.hounsfield import check_hounsfield
from survkit_slicetention.preparation.lung_mask import check_spacing, segment_lungs

LungProvider = Literal["threshold", "lungmask", "given", "none"]
"""``threshold`` needs nothing; ``lungmask`` is the paper's U-Net (R231); ``given`` is the mask of
the cohort; ``none`` keeps whole slices, and all of them."""


def lungs_of(
    provider: LungProvider,
    volume: NDArray[np.float32],
    spacing: tuple[float, float, float],
    given: NDArray[np.bool_] | None,
) -> NDArray[np.bool_]:
    """Return the lungs of a CT, bool (z, y, x).

    Args:
        provider: Who says where they are.
        volume: HU (z, y, x), z towards the head.
        spacing: Voxel size in mm (z, y, x).
        given: The cohort's mask; used by ``given`` alone.

    Raises:
        ConfigError: No such provider.
        DataError: The values are not HU, no lung was found, or the given mask is missing, empty or
            of another shape.
        MissingExtraError: The package lungmask or its weights are not at hand.

    Reference: ``lungmask``: Hofmanninger et al. (2020), Eur Radiol Exp 4:50.
    """
    if provider not in get_args(LungProvider):
        raise ConfigError(
            f"lung_mask is one of {', '.join(get_args(LungProvider))}, not {provider!r}"
        )
    if provider == "threshold":
        return segment_lungs(volume, spacing)
    check_spacing(spacing)
    check_hounsfield(volume)
    if provider == "none":
        return np.ones(volume.shape, dtype=bool)
    if provider == "given":
        return _given(volume, given)
    return _by_lungmask(volume)


def _given(volume: NDArray[np.float32], given: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    if given is None:
        raise DataError(
            "lung_mask: given needs a mask of the lungs, but the subject has none; name its column "
            "in the cohort, or use lung_mask: threshold"
        )
    if given.shape != volume.shape:
        raise DataError(f"the mask has the shape {given.shape}, but the CT has {volume.shape}")
    if given.dtype != np.bool_:
        raise DataError(f"a lung mask is bool, not {given.dtype}; say which labels are lung")
    if not given.any():
        raise DataError("the given lung mask is empty: no voxel is lung")
    return given


def _by_lungmask(volume: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return what the U-Net R231 labels as right (1) or left (2) lung."""
    # an array is taken to be in LPS, as survkit's are; a copy, whatever the package does with it
    lungs = np.asarray(_r231().apply(volume.copy())) > 0
    if not lungs.any():
        raise DataError("lungmask (R231) found no lungs: check that the scan shows the chest")
    return lungs


@cache
def _r231() -> Any:
    """Return the network, read once per process; nothing is downloaded unasked."""
    try:
        with warnings.catch_warnings():  # its import silences warnings for everybody
            from lungmask import LMInferer
            from lungmask.mask import MODEL_URLS
    except ImportError as error:
        raise MissingExtraError(
            "lung_mask: lungmask needs the package of that name: pip install lungmask"
        ) from error
    import torch

    address = MODEL_URLS["R231"][0]
    weights = Path(torch.hub.get_dir()) / "checkpoints" / address.rsplit("/", 1)[-1]
    if not weights.is_file():
        raise MissingExtraError(
            f"lung_mask: lungmask needs the weights of R231: download {address} to {weights}, or "
            "use lung_mask: threshold"
        )
    return LMInferer(modelname="R231", tqdm_disable=True)
