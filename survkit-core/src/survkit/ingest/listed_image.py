"""One radiograph that a table lists: where it lies, whose it is, and what stands beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.data.modality_config import ImageModality
from survkit.data.readers.picture import opened, read_picture
from survkit.dicom.open_dicom import is_dicom
from survkit.errors import DataError
from survkit.ingest.convert import Converted
from survkit.ingest.hecktor_case import seen_from
from survkit.ingest.refused import Left

IMAGE = "cxr_path"
"""Column of the image's file."""


@dataclass(frozen=True, slots=True)
class ListedImage:
    """One row of the cohort to be.

    Attributes:
        subject: The row's id.
        patient: Whose image it is.
        path: The file.
        cells: The row's cells by column, the file's excepted.
    """

    subject: str
    patient: str
    path: Path
    cells: Mapping[str, str]


@dataclass(slots=True)
class CheckedImage:
    """What became of a listed image.

    Attributes:
        result: Its cell, its line of quality, or why it was refused.
        digest: Of the file's bytes; empty where it cannot be read.
        converted: Whether it is gray stored in colours, which is read as gray without loss.
        shown: What messages call the file.
    """

    result: Converted
    digest: str = ""
    converted: bool = False
    shown: str = ""


def check_image(listed: ListedImage, source: Path, out: Path) -> CheckedImage:
    """Read an image as the cohort will, and say what it is or why it is refused."""
    checked = CheckedImage(Converted(listed.subject), shown=_shown(listed.path, source))
    try:
        values, checked.converted = _read(listed.path)
    except DataError as error:
        rule = "unreadable" if listed.path.is_file() else "no-image"
        reason = str(error).removeprefix(f"{listed.path}: ")
        checked.result.left.append(Left(listed.subject, checked.shown, rule, reason, 1))
        return checked
    low, high = float(values.min()), float(values.max())
    if low == high:
        reason = f"every intensity is {low:g}, so the image shows nothing; export it again"
        checked.result.left.append(Left(listed.subject, checked.shown, "blank", reason, 1))
        return checked
    with listed.path.open("rb") as file:
        checked.digest = hashlib.file_digest(file, "sha256").hexdigest()
    checked.result.cells[IMAGE] = seen_from(out, listed.path)
    checked.result.quality.append(
        {
            "subject": listed.subject,
            "file": checked.shown,
            "modality": "image",
            "size_y": values.shape[1],
            "size_x": values.shape[2],
            "minimum": low,
            "maximum": high,
            "notes": "gray stored in colours" if checked.converted else "",
        }
    )
    return checked


def _read(path: Path) -> tuple[Any, bool]:
    """Return the values (channel, y, x), and whether colours had to be joined, without loss."""
    plain = ImageModality(kind="image", path=IMAGE)
    try:
        return read_picture(plain, path).values, False
    except DataError as error:
        if "without loss" not in str(error):
            raise
        joined = plain.model_copy(update={"convert": True})
        return read_picture(joined, path).values, True


def is_picture(path: Path) -> bool:
    """Whether a file is a picture or DICOM by its content; its name does not matter."""
    try:
        if is_dicom(path):
            return True
        with opened(path):
            return True
    except (DataError, OSError):
        return False


def _shown(path: Path, source: Path) -> str:
    return path.relative_to(source).as_posix() if path.is_relative_to(source) else path.name
