"""What may differ from frame to frame: place, spacing, rescaling, acquisition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from survkit.dicom.tag_values import WrongTagError, items, number, numbers, text, whole

FRAME_TAGS = (
    "NumberOfFrames",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)
_GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "RescaleType": "PixelValueTransformationSequence",
    "TemporalPositionIndex": "FrameContentSequence",
    "FrameAcquisitionNumber": "FrameContentSequence",
}
MAX_FRAMES = 65536
"""A header that claims more frames is refused: no scanner makes them."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One image plane.

    Attributes:
        position: Centre of the first voxel, LPS in mm (x, y, z).
        orientation: Direction of a row (along columns), then of a column, LPS.
        spacing: Between rows and between columns, in mm.
        detector_spacing: The same on the detector of a projection radiograph.
        slope: Of the rescaling to HU or activity; with ``intercept`` in its units.
        rescale_type: Of an enhanced image; what the rescaling leads to.
        acquisition: AcquisitionNumber or FrameAcquisitionNumber.
        temporal: TemporalPositionIdentifier or TemporalPositionIndex.
    """

    position: tuple[float, ...] | None = None
    orientation: tuple[float, ...] | None = None
    spacing: tuple[float, ...] | None = None
    detector_spacing: tuple[float, ...] | None = None
    slope: float | None = None
    intercept: float | None = None
    rescale_type: str = ""
    acquisition: str = ""
    temporal: str = ""


def read_frames(data: Any) -> tuple[Frame, ...]:
    """Return a file's frames in order; a file of one slice has one.

    Raises:
        WrongTagError: A tag holds something else than it must, or the functional groups do not
            fit the number of frames.
    """
    count = whole(data, "NumberOfFrames")
    if count is not None and not 1 <= count <= MAX_FRAMES:
        raise WrongTagError(f"NumberOfFrames must be 1 to {MAX_FRAMES}, but is {count}")
    per_frame = items(data, "PerFrameFunctionalGroupsSequence")
    if not per_frame:
        # One position cannot be that of several frames: without groups they have none.
        plain = _plain(data)
        return (plain,) if (count or 1) == 1 else (replace(plain, position=None),) * (count or 1)
    if len(per_frame) != (count or 1):
        raise WrongTagError(
            f"PerFrameFunctionalGroupsSequence has {len(per_frame)} items for {count or 1} frames"
        )
    shared = items(data, "SharedFunctionalGroupsSequence")
    return tuple(_enhanced([frame, *shared[:1]]) for frame in per_frame)


def _plain(data: Any) -> Frame:
    return Frame(
        position=numbers(data, "ImagePositionPatient", 3),
        orientation=numbers(data, "ImageOrientationPatient", 6),
        spacing=numbers(data, "PixelSpacing", 2),
        detector_spacing=numbers(data, "ImagerPixelSpacing", 2),
        slope=number(data, "RescaleSlope"),
        intercept=number(data, "RescaleIntercept"),
        acquisition=text(data, "AcquisitionNumber"),
        temporal=text(data, "TemporalPositionIdentifier"),
    )


def _enhanced(groups: Sequence[Any]) -> Frame:
    """Return a frame whose macros stand in its own group, else in the shared one."""
    holder = {keyword: _holder(groups, sequence) for keyword, sequence in _GROUPS.items()}
    return Frame(
        position=numbers(holder["ImagePositionPatient"], "ImagePositionPatient", 3),
        orientation=numbers(holder["ImageOrientationPatient"], "ImageOrientationPatient", 6),
        spacing=numbers(holder["PixelSpacing"], "PixelSpacing", 2),
        slope=number(holder["RescaleSlope"], "RescaleSlope"),
        intercept=number(holder["RescaleIntercept"], "RescaleIntercept"),
        rescale_type=text(holder["RescaleType"], "RescaleType"),
        acquisition=text(holder["FrameAcquisitionNumber"], "FrameAcquisitionNumber"),
        temporal=text(holder["TemporalPositionIndex"], "TemporalPositionIndex"),
    )


def _holder(groups: Sequence[Any], sequence: str) -> Any:
    for group in groups:
        found = items(group, sequence)
        if found:
            return found[0]
    return {}
