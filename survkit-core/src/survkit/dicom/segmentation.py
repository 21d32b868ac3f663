"""DICOM SEG: what a file says of its segments and of the frames that hold them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.dicom.open_dicom import open_dicom
from survkit.dicom.shown_name import shown_name
from survkit.dicom.tag_values import items, numbers, text, whole
from survkit.dicom.wrong_tags import shown_code, shown_label, wrong_tags_refused
from survkit.errors import DataError
from survkit.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class SegmentFrame:
    """Where one frame lies.

    Attributes:
        segment: Number of the segment it belongs to.
        origin: Centre of its first pixel; LPS in mm.
        axes: Unit vectors of a row and of a column, (2, 3).
        spacing: Between rows and between columns, in mm.
    """

    segment: int
    origin: NDArray[np.float64]
    axes: NDArray[np.float64]
    spacing: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The segments of one file.

    Attributes:
        path: The file.
        labels: Name by segment number; names may repeat.
        fractional: Frames hold shares instead of yes and no.
        maximum: What a share of one is stored as.
        frames: In the order of the pixels.
        size: Rows and columns.
        frame_uid: Frame of reference; empty if absent.
        series_uids: Series that the file refers to; may be empty.
    """

    path: Path
    labels: dict[int, str]
    fractional: bool
    maximum: int
    frames: tuple[SegmentFrame, ...]
    size: tuple[int, int]
    frame_uid: str
    series_uids: frozenset[str]

    @property
    def shown(self) -> str:
        """Name of the file for messages."""
        return shown_name(self.path)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the segments."""
        return tuple(self.labels.values())

    def find(self, name: str) -> int:
        """Return the number of the segment of a name.

        Raises:
            DataError: None or several have it.
        """
        found = [number for number, label in self.labels.items() if label == name]
        if not found:
            raise DataError(f"no segment is named '{name}'. {did_you_mean(name, self.names)}")
        if len(found) > 1:
            raise DataError(
                f"{len(found)} segments are named '{name}'; rename them so that each name is one "
                "segment"
            )
        return found[0]


def read_segmentation(path: Path) -> Segmentation:
    """Read what a SEG file says of its frames, without their pixels.

    Raises:
        DataError: Unreadable, not a SEG, of another type than binary or fractional, or a frame
            without position, orientation, spacing or segment.
        MissingExtraError: pydicom is not installed.
    """
    data, where = open_dicom(path), shown_name(path)
    with wrong_tags_refused(where):
        if text(data, "Modality") != "SEG":
            raise DataError(
                f"{where}: not a SEG (its Modality is {shown_code(text(data, 'Modality'))})"
            )
        kind = text(data, "SegmentationType")
        if kind not in ("BINARY", "FRACTIONAL"):
            raise DataError(
                f"{where}: SegmentationType is {shown_code(kind)}; BINARY or FRACTIONAL is read"
            )
        maximum = whole(data, "MaximumFractionalValue") if kind == "FRACTIONAL" else 1
        rows, columns = (whole(data, keyword) or 0 for keyword in ("Rows", "Columns"))
        if rows < 1 or columns < 1 or not maximum:
            raise DataError(f"{where}: Rows, Columns or MaximumFractionalValue is missing or zero")
        return Segmentation(
            path=path,
            labels={
                whole(item, "SegmentNumber") or 0: shown_label(text(item, "SegmentLabel"))
                for item in items(data, "SegmentSequence")
            },
            fractional=kind == "FRACTIONAL",
            maximum=maximum,
            frames=_frames(data, where),
            size=(rows, columns),
            frame_uid=text(data, "FrameOfReferenceUID"),
            series_uids=frozenset(
                uid
                for item in items(data, "ReferencedSeriesSequence")
                if (uid := text(item, "SeriesInstanceUID"))
            ),
        )


def _frames(data: Any, where: str) -> tuple[SegmentFrame, ...]:
    shared = items(data, "SharedFunctionalGroupsSequence")[:1]
    per_frame = items(data, "PerFrameFunctionalGroupsSequence")
    count = whole(data, "NumberOfFrames") or 0
    if not per_frame or len(per_frame) != count:
        raise DataError(f"{where}: {len(per_frame)} frames are described, {count} are stored")
    return tuple(
        _frame([item, *shared], f"{where}: frame {number}")
        for number, item in enumerate(per_frame, start=1)
    )


def _frame(groups: list[Any], where: str) -> SegmentFrame:
    def inner(sequence: str) -> Any:
        for group in groups:
            for item in items(group, sequence):
                return item
        raise DataError(f"{where}: there is no {sequence}, so its place is not known")

    segment = whole(inner("SegmentIdentificationSequence"), "ReferencedSegmentNumber")
    origin = numbers(inner("PlanePositionSequence"), "ImagePositionPatient", 3)
    axes = numbers(inner("PlaneOrientationSequence"), "ImageOrientationPatient", 6)
    spacing = numbers(inner("PixelMeasuresSequence"), "PixelSpacing", 2)
    if segment is None or origin is None or axes is None or spacing is None or min(spacing) <= 0:
        raise DataError(
            f"{where}: segment number, position, orientation or spacing is missing or not positive"
        )
    return SegmentFrame(
        segment, np.array(origin), np.array(axes).reshape(2, 3), (spacing[0], spacing[1])
    )
