"""What a NIfTI file says of itself, held against what it holds, before a library reads it.

The library fills what is missing in a file that was cut off with zeros (water, in HU), turns NaN
into zeros, and takes a voxel edge of 0 for 1 mm, all without a word.
"""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from dataclasses import dataclass
from math import isfinite, prod
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from survkit.errors import DataError

SUFFIXES = (".nii", ".nii.gz")
CHUNK = 2**24
_FLOATS = {16: "f4", 64: "f8"}
HEADER = 348
"""Bytes of a NIfTI-1 header; the library reads no other."""


@dataclass(frozen=True, slots=True)
class _Header:
    """What is needed of a header."""

    order: str
    axes: tuple[int, ...]
    edges: tuple[float, ...]
    datatype: int
    bits: int

    @property
    def nbytes(self) -> int:
        return prod(self.axes) * self.bits // 8


def is_nifti(path: Path) -> bool:
    """Whether the name is that of a NIfTI file."""
    return path.name.lower().endswith(SUFFIXES)


def refuse_damaged_nifti(path: Path) -> None:
    """Refuse a file that a library would silently complete.

    Raises:
        DataError: It ends early, a voxel edge is 0 or no number, or an intensity is NaN or
            infinite.
    """
    try:
        with path.open("rb") as plain:
            packed = path.suffix.lower() == ".gz"
            source = gzip.GzipFile(fileobj=plain) if packed else plain
            # a reader in between gives all that is asked for, unless the file ends
            file = cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, source), CHUNK))
            header = _read_header(file)
            if header is not None:
                _check_edges(header, path)
                _check_voxels(file, header, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: not a readable image: cut off or damaged: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _read_header(file: BinaryIO) -> _Header | None:
    """Return the header; ``None`` where it is no NIfTI-1, which the library tells."""
    content = file.read(HEADER)
    if len(content) < HEADER:
        return None
    for order in "<>":
        (length,) = struct.unpack_from(f"{order}i", content)
        count, *axes = struct.unpack_from(f"{order}8h", content, 40)
        datatype, bits = struct.unpack_from(f"{order}2h", content, 70)
        _, *edges = struct.unpack_from(f"{order}8f", content, 76)
        (start,) = struct.unpack_from(f"{order}f", content, 108)
        if length != HEADER or not 1 <= count <= 7 or min(axes[:count]) < 1 or not start >= HEADER:
            continue
        file.read(int(start) - HEADER)
        return _Header(order, tuple(axes[:count]), tuple(edges[: min(count, 3)]), datatype, bits)
    return None


def _check_edges(header: _Header, path: Path) -> None:
    wrong = [edge for edge in header.edges if edge == 0 or not isfinite(edge)]
    if wrong:
        raise DataError(
            f"{path}: the voxel size {tuple(header.edges)} mm holds {wrong[0]:g}; write the true "
            "one into the file (pixdim)"
        )


def _check_voxels(file: BinaryIO, header: _Header, path: Path) -> None:
    left, wrong = header.nbytes, 0
    floats = _FLOATS.get(header.datatype)
    while left > 0:
        part = file.read(min(CHUNK, left))
        if not part:
            raise DataError(
                f"{path}: the file is cut off: {header.nbytes - left} of {header.nbytes} bytes of "
                "voxels are there; copy it again"
            )
        left -= len(part)
        if floats is not None and len(part) % (header.bits // 8) == 0:
            values = np.frombuffer(part, dtype=header.order + floats)
            wrong += int(values.size - np.isfinite(values).sum())
    if wrong:
        raise DataError(f"{path}: {wrong} of {prod(header.axes)} intensities are NaN or infinite")
