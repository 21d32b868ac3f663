"""A folder with one DICOM series, read as a volume: the cell of a table may name it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from survkit.dicom import discover, read_series
from survkit.dicom.silent import silent_pydicom
from survkit.dicom.suv import suv_factor
from survkit.dicom.walk import walk
from survkit.errors import DataError


@silent_pydicom()
def read_dicom_folder(folder: Path) -> Any:
    """Return the one series of a folder as a SimpleITK image: HU for CT, SUV for PET.

    Objects that are no images, such as an RTSTRUCT, and localizers may lie beside it.

    Raises:
        DataError: There is no series or several, or some file is damaged or refused.
    """
    found = discover(folder)
    wrong = [each for each in found.refused if not each.expected]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise DataError(f"{folder}: {wrong[0].what}: {wrong[0].reason}{more}")
    if len(found.series) != 1:
        there = "; ".join(each.label for each in found.series[:4]) or "no readable image"
        raise DataError(
            f"{folder}: a folder holds one series of one subject, this one {len(found.series)} "
            f"({there}); name the series' own folder, or choose by survkit ingest"
        )
    series = found.series[0]
    try:
        image = read_series(series).image
        if series.modality == "PT":
            image = image * suv_factor([header.path for header in series.files]).factor
    except DataError as error:
        raise DataError(f"{folder}: {error}") from error
    return image


def folder_digest(folder: Path) -> bytes:
    """Return a digest of the bytes of all files below a folder; their names do not count."""
    digests = []
    for path in walk(folder)[0]:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").digest())
    return hashlib.sha256(b"".join(sorted(digests))).digest()


def folder_sizes(folder: Path) -> list[int]:
    """Return the sizes of all files below a folder, in order of size."""
    return sorted(path.stat().st_size for path in walk(folder)[0])
