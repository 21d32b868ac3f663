"""One case: its series as NIfTI files, HU for CT and SUV for PET, and its regions as masks."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.dicom.libraries import simpleitk
from survkit.dicom.read_series import DicomVolume, read_series
from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.series import Series
from survkit.dicom.silent import silent_pydicom
from survkit.dicom.suv import suv_factor
from survkit.errors import DataError, MissingExtraError
from survkit.ingest.plan import Case
from survkit.ingest.refused import Left
from survkit.ingest.regions import RegionFile, drawn_on, read_regions, region_mask
from survkit.ingest.settings import (
    MODALITY_NAMES,
    IngestSettings,
    image_column,
    mask_column,
    slug,
)

IMAGES = "images"


@dataclass(slots=True)
class Converted:
    """What one case became.

    Attributes:
        subject: The id.
        cells: Path of each file, relative to the cohort's folder, by column.
        quality: A line per image or mask, by column of ``quality.csv``.
        left: What was refused.
    """

    subject: str
    cells: dict[str, str] = field(default_factory=dict)
    quality: list[dict[str, Any]] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


@silent_pydicom()
def convert(case: Case, settings: IngestSettings, folder: Path) -> Converted:
    """Write a case's files below ``folder``; what is refused is said and the rest goes on.

    Raises:
        OSError: A file cannot be written.
        MissingExtraError: A library is not installed.
    """
    result = Converted(case.subject)
    files = list(_region_files(case, result))
    drawn: set[Path] = set()
    for series, why in case.images:
        here = [file for file in files if drawn_on(file, series)]
        drawn.update(file.path for file in here)
        try:
            volume, method = _volume(series, settings)
        except MissingExtraError:
            raise
        except DataError as error:
            rule = error.rule if isinstance(error, RefusedSeriesError) else "unreadable"
            if series.modality == "PT" and not isinstance(error, RefusedSeriesError):
                rule = "suv"
            count = len(series.files) + series.duplicates
            result.left.append(Left(case.subject, series.label, rule, str(error), count))
            continue
        path = _place(case.subject, MODALITY_NAMES[series.modality])
        _write(volume.image, _values(volume, series.modality), folder / path)
        result.cells[image_column(series.modality)] = path
        result.quality.append(_image_line(case.subject, path, volume, why, method))
        for roi in settings.rois:
            _mask(roi, series, volume.image, here, settings, folder, result)
    _foreign(case, files, drawn, result)
    result.left = [_as_expected(line, settings, result) for line in result.left]
    return result


def _region_files(case: Case, result: Converted) -> Iterator[RegionFile]:
    for header, label in case.masks:
        try:
            yield read_regions(header, label)
        except DataError as error:
            result.left.append(Left(case.subject, label, "unreadable", str(error), 1))


def _volume(series: Series, settings: IngestSettings) -> tuple[DicomVolume, str]:
    """Return the series' volume, PET as SUV, and how it came to its unit."""
    if series.modality != "PT":
        return read_series(series, tilt=settings.tilt), ""
    factor = suv_factor([header.path for header in series.files])  # before pixels are read
    volume = read_series(series, tilt=settings.tilt)
    scaled = volume.image * factor.factor
    return DicomVolume(scaled, volume.quality), factor.method


def _mask(
    roi: str,
    series: Series,
    image: Any,
    files: list[RegionFile],
    settings: IngestSettings,
    folder: Path,
    result: Converted,
) -> None:
    subject, name = result.subject, MODALITY_NAMES[series.modality]
    try:
        mask, file = region_mask(roi, files, image, settings.threshold)
    except RefusedSeriesError as error:
        what = f"region '{roi}' on {series.label}"
        result.left.append(Left(subject, what, error.rule, str(error), 0))
        return
    path = _place(subject, f"{name}_{slug(roi)}")
    _write(image, mask.astype(np.uint8), folder / path)
    result.cells[mask_column(series.modality, roi)] = path
    held = np.flatnonzero(mask.any(axis=(1, 2)))
    gaps = int(held[-1] - held[0] + 1 - len(held))
    notes = [f"from {file.kind}"]
    if gaps:
        notes.append(f"{gaps} slices between the first and the last hold nothing of it")
    voxel = float(np.prod(image.GetSpacing()))
    result.quality.append(
        {
            "subject": subject, "file": path, "modality": file.kind, "slices": len(held),
            "voxels": int(mask.sum()), "volume_ml": round(float(mask.sum()) * voxel / 1000, 4),
            "notes": "; ".join(notes),
        }
    )  # fmt: skip


def _as_expected(line: Left, settings: IngestSettings, result: Converted) -> Left:
    """Call it no fault that a region was drawn on one image of the case and not on another."""
    if line.rule != "no-region-file":
        return line
    elsewhere = any(
        mask_column(modality, roi) in result.cells
        for modality in settings.modalities
        for roi in settings.rois
        if line.what.startswith(f"region '{roi}' on ")
    )
    return replace(line, expected=True) if elsewhere else line


def _foreign(case: Case, files: list[RegionFile], drawn: set[Path], result: Converted) -> None:
    """Say which files with regions were drawn on no image of the case."""
    for file in files:
        if file.path not in drawn:
            reason = "its regions were drawn on another series than the ones in the cohort"
            result.left.append(Left(case.subject, file.label, "other-series", reason, 1))


def _image_line(
    subject: str, path: str, volume: DicomVolume, why: str, method: str
) -> dict[str, Any]:
    facts = asdict(volume.quality)
    values = simpleitk().GetArrayViewFromImage(volume.image)
    if method:
        facts["unit"] = "SUV (body weight)"
    notes = [why, *([f"SUV: {method}"] if method else []), *facts.pop("notes")]
    for axis, name in enumerate("zyx"):
        facts[f"spacing_{name}"] = round(facts["spacing"][axis], 6)
        facts[f"size_{name}"] = facts["size"][axis]
    facts["minimum"], facts["maximum"] = float(values.min()), float(values.max())
    del facts["spacing"], facts["size"]
    return {"subject": subject, "file": path, **facts, "notes": "; ".join(notes)}


def _values(volume: DicomVolume, modality: str) -> NDArray[Any]:
    """Return the voxels; whole HU that fit are int16, half the size and the same numbers."""
    values: NDArray[np.float32] = simpleitk().GetArrayFromImage(volume.image)
    low, high = np.iinfo(np.int16).min, np.iinfo(np.int16).max
    if modality == "CT" and values.min() >= low and values.max() <= high:
        whole = values.astype(np.int16)
        if np.array_equal(whole, values):
            return whole
    return values


def _place(subject: str, name: str) -> str:
    return f"{IMAGES}/{subject}/{name}.nii.gz"


def _write(image: Any, values: NDArray[Any], path: Path) -> None:
    """Write voxels on the image's grid; a new image carries nothing of the files' metadata."""
    sitk = simpleitk()
    plain = sitk.GetImageFromArray(values)
    for what in ("Origin", "Spacing", "Direction"):
        getattr(plain, f"Set{what}")(getattr(image, f"Get{what}")())
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        sitk.WriteImage(plain, str(path), True)
    except RuntimeError as error:  # all that SimpleITK says of a full disk
        raise OSError(errno.EIO, "the image cannot be written", str(path)) from error
