"""The files that cells of the cohort's table name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from survkit.data.modality_config import ImagingModality
from survkit.data.named_path import named_path
from survkit.data.readers.dicom_folder import folder_digest, folder_sizes
from survkit.data.readers.source import Rows
from survkit.data.text_table import TextTable
from survkit.errors import DataError


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """Image and mask of every subject; ``None`` where the cell is empty."""

    image: tuple[Path | None, ...]
    mask: tuple[Path | None, ...]

    @property
    def available(self) -> NDArray[np.bool_]:
        """Which subjects have an image; bool (subject)."""
        return np.array([path is not None for path in self.image], dtype=bool)

    def take(self, rows: Rows) -> ImageFiles:
        """Return the given subjects."""
        return replace(
            self,
            image=tuple(self.image[row] for row in rows),
            mask=tuple(self.mask[row] for row in rows),
        )

    def identity(self, row: int) -> bytes:
        """Return a digest of the bytes of both files; a folder of DICOM counts as one.

        Raises:
            DataError: A file cannot be read.
        """
        digests = [b"" if p is None else _file_digest(p) for p in (self.image[row], self.mask[row])]
        return hashlib.sha256(b"|".join(digests)).digest()

    def stamp(self) -> bytes:
        """Return a digest of the sizes of all files; -1 stands for a file that is not there."""
        sizes = [_size(path) for path in (*self.image, *self.mask)]
        return hashlib.sha256(repr(sizes).encode()).digest()


def named_files(config: ImagingModality, table: TextTable, folder: Path) -> ImageFiles:
    """Return the files that the cells name, relative ones taken from ``folder``.

    Raises:
        DataError: There is no such column.
    """

    def paths(column: str) -> tuple[Path | None, ...]:
        return tuple(
            None if cell is None else named_path(folder, cell) for cell in table.text(column)
        )

    image = paths(config.path)
    return ImageFiles(image, (None,) * len(image) if config.mask is None else paths(config.mask))


def existing(path: Path) -> Path:
    """Return the path of a file.

    Raises:
        DataError: There is none.
    """
    if not path.is_file():
        kind = "it is a folder, not a file" if path.is_dir() else "there is no such file"
        raise DataError(f"{path}: {kind}")
    return path


def refuse_not_finite(values: NDArray[np.float32], path: Path) -> None:
    """Refuse NaN and infinite intensities.

    Raises:
        DataError: There are some.
    """
    wrong = int(values.size - np.isfinite(values).sum())
    if wrong:
        raise DataError(f"{path}: {wrong} of {values.size} intensities are NaN or infinite")


def _size(path: Path | None) -> int | list[int]:
    if path is None:
        return -1
    if path.is_dir():
        return folder_sizes(path)
    return path.stat().st_size if path.is_file() else -1


def _file_digest(path: Path) -> bytes:
    if path.is_dir():
        return folder_digest(path)
    with existing(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
