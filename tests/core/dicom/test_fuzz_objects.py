"""Damaged RTSTRUCT, SEG and PET files are read or refused in a sentence; nothing else happens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.core.dicom.mask_writer import (
    blank_image,
    outline,
    square,
    write_segmentation,
    write_structures,
)
from tests.core.dicom.writer import PLANTED, random_volume, write_series

from survkit.dicom.rtstruct import contour_mask, read_structures
from survkit.dicom.segment_mask import segment_mask
from survkit.dicom.segmentation import read_segmentation
from survkit.dicom.suv import lacks_attenuation_correction, suv_factor
from survkit.errors import DataError

IMAGE = blank_image((4, 7, 9))


def structures(folder: Path) -> tuple[Path, Callable[[Path], None]]:
    """Return an RTSTRUCT and what is done with it."""

    def use(path: Path) -> None:
        for structure in read_structures(path).structures:
            contour_mask(structure, IMAGE)

    outlines = [outline(IMAGE, square(1.5, 5.5), 1)]
    return write_structures(folder / "rt.dcm", {"A": outlines, "B": outlines}), use


def segments(folder: Path) -> tuple[Path, Callable[[Path], None]]:
    """Return a SEG and what is done with it."""

    def use(path: Path) -> None:
        read = read_segmentation(path)
        for number in read.labels:
            segment_mask(read, number, IMAGE)

    mask = np.random.default_rng(0).random((4, 7, 9)) < 0.4
    return write_segmentation(folder / "seg.dcm", IMAGE, {"tumour": mask}), use


def pet(folder: Path) -> tuple[Path, Callable[[Path], None]]:
    """Return a PET slice and what is done with its header."""

    def use(path: Path) -> None:
        lacks_attenuation_correction(path)
        suv_factor([path])

    volume = random_volume((1, 4, 5)) + 1000
    return write_series(folder, volume, modality="PT", intercept=0.0)[0], use


@pytest.mark.parametrize("kind", [structures, segments, pet])
def test_bytes_that_flip_or_end_are_refused_or_read(
    tmp_path: Path, kind: Callable[[Path], tuple[Path, Callable[[Path], None]]]
) -> None:
    """300 times, seeded: cut off anywhere, or one to five bytes changed."""
    path, use = kind(tmp_path)
    content, generator = path.read_bytes(), np.random.default_rng(7)
    messages = []
    for number in range(300):
        damaged = bytearray(content)
        if number % 3:
            for place in generator.integers(0, len(content), 1 + number % 5):
                damaged[place] = generator.integers(0, 256)
        else:
            damaged = damaged[: generator.integers(0, len(content))]
        torn = tmp_path / "torn.dcm"
        torn.write_bytes(bytes(damaged))
        try:
            use(torn)
        except DataError as error:
            messages.append(str(error))

    assert 30 < len(messages) < 300
    assert not any("\n" in message for message in messages)
    assert not any(value in message for message in messages for value in PLANTED.values())
