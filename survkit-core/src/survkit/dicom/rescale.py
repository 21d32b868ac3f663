"""From stored values to HU, activity or intensities; padding told apart from tissue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from survkit.dicom.decode import Stored
from survkit.dicom.kinds import is_radiograph
from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.series import Plane
from survkit.dicom.shown_name import shown_name

AIR = -1000.0
"""HU that padding of a CT becomes: outside the field of view nothing was measured but air."""
HIGHEST_PADDING = -900.0
"""Padding above this HU would be tissue, so the tag cannot be right."""

MOST_HU = 100_000.0
"""No CT measures more: metal in an extended scale ends near 30,000 HU."""


def rescaled(plane: Plane, stored: Stored) -> tuple[NDArray[np.float32], int]:
    """Return a slice's values, float32 (row, column), and how many of its voxels are padding.

    CT becomes HU and its padding air; a radiograph in MONOCHROME1 is inverted, so that higher
    means brighter; everything else is its stored values after slope and intercept.

    Raises:
        RefusedSeriesError: The declared padding of a CT is a tissue's value, or slope and intercept
            lead beyond what can be measured or stored.

    Reference: DICOM PS3.3 C.7.5.1.1.2 (pixel padding), C.7.6.3.1.2, C.11.1 (rescaling).
    """
    frame, header = plane.frame, plane.header
    padding = _padding(plane, stored)
    if is_radiograph(header):
        if header.photometric == "MONOCHROME1":
            stored = _highest(plane) + _lowest(plane) - stored
        return stored.astype(np.float32), int(padding.sum())
    slope = 1.0 if frame.slope is None else frame.slope
    intercept = 0.0 if frame.intercept is None else frame.intercept
    values: NDArray[np.float64] = np.asarray(stored * slope + intercept, dtype=np.float64)
    _check_range(plane, values, f"RescaleSlope {slope:g} and RescaleIntercept {intercept:g}")
    if header.modality == "CT" and padding.any():
        found = float(values[padding].max())
        if found > HIGHEST_PADDING:
            raise RefusedSeriesError(
                "padding",
                f"{shown_name(header.path)}: padding must lie below {HIGHEST_PADDING:g} HU, but "
                f"PixelPaddingValue stands for {found:g} HU, which {int(padding.sum())} voxels "
                "have; correct or remove the tag",
            )
        values = np.where(padding, AIR, values)
    return values.astype(np.float32), int(padding.sum())


def _check_range(plane: Plane, values: NDArray[np.float64], rule: str) -> None:
    is_ct = plane.header.modality == "CT"
    most = MOST_HU if is_ct else float(np.finfo(np.float32).max)
    largest = float(np.abs(values).max())
    if largest > most:
        raise RefusedSeriesError(
            "value-range",
            f"{shown_name(plane.header.path)}: {rule} lead to values of {largest:.3g}, but "
            f"{'a CT lies within' if is_ct else 'float32 holds'} ±{most:g}; correct the tags",
        )


def _padding(plane: Plane, stored: Stored) -> NDArray[np.bool_]:
    header = plane.header
    if header.padding is None:
        return np.zeros(stored.shape, dtype=bool)
    ends = [_as_stored(header.padding, plane)]
    if header.padding_limit is not None:
        ends.append(_as_stored(header.padding_limit, plane))
    return (stored >= min(ends)) & (stored <= max(ends))


def _as_stored(value: int, plane: Plane) -> int:
    """Return a padding value as its bits are read with the pixels' own sign.

    Writers declare -2000 as 63536 and the reverse; the bits are the same.
    """
    span = 1 << (plane.header.bits_allocated or 16)
    lowest = _lowest(plane)
    if lowest <= value <= _highest(plane):
        return value
    wrapped = value % span
    return wrapped - span if lowest < 0 and wrapped >= span // 2 else wrapped


def _lowest(plane: Plane) -> int:
    bits = plane.header.bits_stored or 16
    return -(1 << (bits - 1)) if plane.header.pixel_representation == 1 else 0


def _highest(plane: Plane) -> int:
    return _lowest(plane) + (1 << (plane.header.bits_stored or 16)) - 1
