"""One series as a volume: HU for CT, geometry from the positions, float32."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from survkit.dicom.decode import stored_planes
from survkit.dicom.libraries import simpleitk
from survkit.dicom.pixel_format import LOSSY, MAX_VOLUME_VOXELS, syntax_name
from survkit.dicom.quality import SeriesQuality, orientation_code
from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.rescale import AIR, rescaled
from survkit.dicom.series import Series
from survkit.dicom.stack_geometry import TILT_TOLERANCE, StackGeometry
from survkit.dicom.tilt import without_tilt
from survkit.errors import ConfigError

LOWEST_HU = -1024.0
"""CT values below are no measurement; where the file does not declare them, they are noted."""

Tilt = Literal["refuse", "correct"]


@dataclass(frozen=True, slots=True)
class DicomVolume:
    """A volume and what it is like.

    Attributes:
        image: SimpleITK image, float32, in HU for CT and in the file's units otherwise; LPS.
        quality: The facts.
    """

    image: Any
    quality: SeriesQuality


def read_series(series: Series, *, tilt: Tilt = "refuse") -> DicomVolume:
    """Read a series' pixels.

    Args:
        series: As ``discover`` found it.
        tilt: What happens to a stack whose positions lean from the slices' normal by more than
            0.1 degree: it is refused, or its shear is corrected by resampling within the slices.

    Raises:
        DataError: Pixels are absent, cut off, damaged or beyond what the header allows; the stack
            is tilted; the series is too large. The message begins with the series' label.
        MissingExtraError: A library is not installed.
    """
    if tilt not in ("refuse", "correct"):
        raise ConfigError(f"tilt must be 'refuse' or 'correct', not '{tilt}'")
    simpleitk()
    try:
        return _read(series, tilt)
    except RefusedSeriesError as error:
        raise RefusedSeriesError(error.rule, f"{series.label}: {error}") from error


def _read(series: Series, tilt: Tilt) -> DicomVolume:
    tilted = series.tilt > TILT_TOLERANCE
    if tilted and tilt == "refuse":
        raise RefusedSeriesError(
            "tilt",
            f"slice positions must follow the slices' normal (within {TILT_TOLERANCE} degrees), "
            f"but lean by {series.tilt:.2f} degrees: a tilted gantry; set tilt to 'correct' to "
            "resample it upright",
        )
    values, padding = _values(series)
    geometry = series.geometry
    if tilted:
        fill = AIR if series.modality == "CT" else 0.0
        values, geometry = without_tilt(values, geometry, fill)
    return DicomVolume(_image(values, geometry), _quality(series, values, geometry, padding))


def _values(series: Series) -> tuple[NDArray[np.float32], int]:
    rows, columns = series.first.rows or 0, series.first.columns or 0
    if series.slices * rows * columns > MAX_VOLUME_VOXELS:
        raise RefusedSeriesError(
            "too-large",
            f"{series.slices} slices of {rows} x {columns} voxels are beyond the limit of "
            f"{MAX_VOLUME_VOXELS}",
        )
    values = np.empty((series.slices, rows, columns), dtype=np.float32)
    padding, place = 0, 0
    for _, run in groupby(series.planes, key=lambda plane: plane.header.path):
        planes = list(run)
        pixels = stored_planes(planes[0].header, [plane.index for plane in planes])
        for plane, stored in zip(planes, pixels, strict=True):
            values[place], count = rescaled(plane, stored)
            padding, place = padding + count, place + 1
    return values, padding


def _image(values: NDArray[np.float32], geometry: StackGeometry) -> Any:
    image = simpleitk().GetImageFromArray(values)
    image.SetOrigin(geometry.origin)
    image.SetSpacing(geometry.spacing[::-1])
    image.SetDirection([each for line in geometry.direction for each in line])
    return image


def _quality(
    series: Series, values: NDArray[np.float32], geometry: StackGeometry, padding: int
) -> SeriesQuality:
    header = series.first
    syntaxes = sorted({each.transfer_syntax for each in series.files})
    quality = SeriesQuality(
        modality=series.modality,
        slices=series.slices,
        size=(values.shape[0], values.shape[1], values.shape[2]),
        spacing=geometry.spacing,
        thickness=series.thickness,
        orientation=orientation_code(geometry.direction),
        tilt=series.tilt,
        tilt_corrected=series.tilt > TILT_TOLERANCE,
        duplicates=series.duplicates,
        padding=padding,
        transfer_syntax=" and ".join(map(syntax_name, syntaxes)),
        lossy=bool(LOSSY.intersection(syntaxes)),
        unit="HU" if series.modality == "CT" else (header.units or "stored"),
        minimum=float(values.min()),
        maximum=float(values.max()),
        notes=series.notes,
    )
    below = int((values < LOWEST_HU).sum()) if series.modality == "CT" else 0
    if below:
        note = f"{below} voxels below {LOWEST_HU:g} HU that are not declared as padding"
        quality = replace(quality, notes=(*quality.notes, note))
    return quality
