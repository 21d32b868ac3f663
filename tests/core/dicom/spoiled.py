"""Ways to spoil a series of DICOM files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from tests.core.dicom.writer import uid

Spoil = Callable[[list[Path]], None]


@dataclass(frozen=True)
class Broken:
    """A fault and what must be said about it."""

    name: str
    rule: str
    message: str
    options: dict[str, Any] = field(default_factory=dict)
    spoil: Spoil | None = None


def at(index: int, **tags: Any) -> Callable[[int, Dataset], None]:
    """Return a change of one slice's tags; ``None`` deletes."""

    def change(slice_index: int, data: Dataset) -> None:
        if slice_index == index:
            for keyword, value in tags.items():
                if value is None:
                    delattr(data, keyword)
                else:
                    setattr(data, keyword, value)

    return change


def raw(index: int, keyword: str, vr: str, value: Any) -> Callable[[int, Dataset], None]:
    """Return a change that writes a value unchecked under another value representation."""

    def change(slice_index: int, data: Dataset) -> None:
        if slice_index == index:
            data.add_new(keyword, vr, value)

    return change


def rewritten(index: int, edit: Callable[[Dataset], None]) -> Spoil:
    """Return an edit of one written file."""

    def spoil(paths: list[Path]) -> None:
        data = pydicom.dcmread(paths[index])
        edit(data)
        data.save_as(paths[index])

    return spoil


def cut(index: int, share: float) -> Spoil:
    """Return the truncation of one file to a share of its bytes."""

    def spoil(paths: list[Path]) -> None:
        content = paths[index].read_bytes()
        paths[index].write_bytes(content[: int(len(content) * share)])

    return spoil


def syntax(value: str) -> Spoil:
    """Return another transfer syntax that all files claim for an encapsulated stream."""

    def spoil(paths: list[Path]) -> None:
        for path in paths:
            data = pydicom.dcmread(path)
            data.PixelData = encapsulate([b"0123456789"])
            data["PixelData"].VR = "OB"
            data["PixelData"].is_undefined_length = True
            data.file_meta.TransferSyntaxUID = value
            pydicom.dcmwrite(path, data, implicit_vr=False, little_endian=True, force_encoding=True)

    return spoil


def shorter_pixels(data: Dataset) -> None:
    data.PixelData = data.PixelData[:-20]


def longer_pixels(data: Dataset) -> None:
    data.PixelData += b"\0" * 20


def without_pixels(data: Dataset) -> None:
    del data.PixelData


def garbled_stream(data: Dataset) -> None:
    data.PixelData = encapsulate([b"\xff\xd8garbage that is no picture"])


def short_stream(data: Dataset) -> None:
    frame = next(generate_frames(data.PixelData, number_of_frames=1))
    data.PixelData = encapsulate([frame[: len(frame) // 2]])


def too_precise(data: Dataset) -> None:
    """Say a precision in the stream on which a decoder crashed."""
    frame = bytearray(next(generate_frames(data.PixelData, number_of_frames=1)))
    frame[frame.index(b"\xff\xc3") + 4] = 62
    data.PixelData = encapsulate([bytes(frame)])


def wider(data: Dataset) -> None:
    data.Columns = 40


def tiny_sideways(index: int, data: Dataset) -> None:
    if index == 2:
        x, y, z = data.ImagePositionPatient
        data.ImagePositionPatient = [x + 1.5, y, z]


def extra(index: int, data: Dataset) -> None:
    x, y, _ = data.ImagePositionPatient
    data.ImagePositionPatient = [x, y, [0.0, 3.0, 6.0, 9.0, 12.0, 7.0][index]]


def uneven(index: int, data: Dataset) -> None:
    x, y, _ = data.ImagePositionPatient
    data.ImagePositionPatient = [x, y, [0.0, 2.0, 4.7, 6.0, 9.1][index]]


def side_by_side(index: int, data: Dataset) -> None:
    data.ImagePositionPatient = [20.0 * index, 0.0, 0.0]


def twin(index: int, data: Dataset) -> None:
    if index in (0, 3):
        data.SOPInstanceUID = data.StudyInstanceUID


def doubled(data: Dataset) -> None:
    data.NumberOfFrames = 2
    data.PixelData = data.PixelData * 2


def creeping(index: int, data: Dataset) -> None:
    x, y, _ = data.ImagePositionPatient
    data.ImagePositionPatient = [x, y, 2.0 * index + 0.00024 * index * (index - 80)]


def foreign(keyword: str) -> Callable[[int, Dataset], None]:
    return at(1, **{keyword: "PLANTEDID2" if keyword == "PatientID" else uid()})
