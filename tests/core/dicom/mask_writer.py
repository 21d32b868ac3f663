"""Writers of synthetic RTSTRUCT and SEG files, sound or with the fault that a test asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import RTStructureSetStorage, SegmentationStorage
from tests.core.dicom.writer import PLANTED, decimals, save, set_tags, uid

Outline = NDArray[np.float64]


def blank_image(
    shape: Sequence[int] = (4, 30, 32),
    spacing: Sequence[float] = (3.0, 0.8, 0.7),
    origin: Sequence[float] = (-10.0, -20.0, 30.0),
    direction: NDArray[Any] | None = None,
) -> sitk.Image:
    """Return an image of zeros on a grid; shape and spacing as (z, y, x)."""
    image = sitk.GetImageFromArray(np.zeros(shape, np.float32))
    image.SetSpacing(tuple(spacing)[::-1])
    image.SetOrigin(tuple(origin))
    image.SetDirection(np.eye(3).ravel().tolist() if direction is None else direction.ravel())
    return image


def outline(image: sitk.Image, corners: Sequence[tuple[float, float]], plane: float) -> Outline:
    """Return corners given in voxels (x, y) on a slice as points of the patient in mm."""
    place = image.TransformContinuousIndexToPhysicalPoint
    return np.array([place((float(x), float(y), float(plane))) for x, y in corners])


def square(low: float, high: float) -> list[tuple[float, float]]:
    """Return the corners of an upright square in voxels."""
    return [(low, low), (high, low), (high, high), (low, high)]


def write_structures(
    path: Path,
    regions: Mapping[str, Sequence[Outline]] | Sequence[tuple[str, Sequence[Outline]]],
    *,
    patient_id: str = "P1",
    frame_uid: str = "1.2.3.4.5",
    series_uid: str | None = "1.2.3.4.6",
    study_uid: str | None = None,
    kind: str = "CLOSED_PLANAR",
    tags: Mapping[str, Any] | None = None,
) -> Path:
    """Write an RTSTRUCT whose regions have these outlines, points (n, 3) in mm."""
    data = _common(RTStructureSetStorage, "RTSTRUCT", patient_id, study_uid)
    frame = Dataset()
    frame.FrameOfReferenceUID = frame_uid
    if series_uid is not None:
        series, study = Dataset(), Dataset()
        series.SeriesInstanceUID = series_uid
        study.RTReferencedSeriesSequence = [series]
        frame.RTReferencedStudySequence = [study]
    data.ReferencedFrameOfReferenceSequence = [frame]
    data.StructureSetROISequence, data.ROIContourSequence = [], []
    pairs = regions.items() if isinstance(regions, Mapping) else regions
    for number, (name, outlines) in enumerate(pairs, start=1):
        named, drawn = Dataset(), Dataset()
        named.ROINumber, named.ROIName = number, name
        named.ReferencedFrameOfReferenceUID = frame_uid
        drawn.ReferencedROINumber = number
        drawn.ContourSequence = []
        for points in outlines:
            item = Dataset()
            item.ContourGeometricType = kind
            item.NumberOfContourPoints = len(points)
            item.ContourData = decimals(np.asarray(points).ravel())
            drawn.ContourSequence.append(item)
        data.StructureSetROISequence.append(named)
        data.ROIContourSequence.append(drawn)
    set_tags(data, tags or {})
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, data)
    return path


def write_segmentation(
    path: Path,
    image: sitk.Image,
    segments: Mapping[str, NDArray[Any]],
    *,
    fractional: bool = False,
    patient_id: str = "P1",
    frame_uid: str = "1.2.3.4.5",
    series_uid: str | None = "1.2.3.4.6",
    study_uid: str | None = None,
    shift: Sequence[float] = (0.0, 0.0, 0.0),
    shuffle: bool = False,
    tags: Mapping[str, Any] | None = None,
) -> Path:
    """Write a SEG with a frame per slice that holds anything of a segment, (z, y, x).

    Args:
        path: The file.
        image: Its grid is the frames'.
        segments: Bool, or shares in [0, 1] if fractional.
        fractional: Shares, stored as 0 to 255.
        patient_id: As the file's PatientID.
        frame_uid: Frame of reference.
        series_uid: Series that it refers to.
        study_uid: A new one by default.
        shift: Moves all frames, mm.
        shuffle: Frames come in another order.
        tags: Set at the end; a value ``None`` deletes the tag.
    """
    data = _common(SegmentationStorage, "SEG", patient_id, study_uid)
    data.FrameOfReferenceUID = frame_uid
    data.SegmentationType = "FRACTIONAL" if fractional else "BINARY"
    if fractional:
        data.SegmentationFractionalType, data.MaximumFractionalValue = "PROBABILITY", 255
    if series_uid is not None:
        series = Dataset()
        series.SeriesInstanceUID = series_uid
        data.ReferencedSeriesSequence = [series]
    axes, measures, shared = Dataset(), Dataset(), Dataset()
    direction = np.array(image.GetDirection()).reshape(3, 3)
    axes.ImageOrientationPatient = decimals([*direction[:, 0], *direction[:, 1]])
    measures.PixelSpacing = decimals(image.GetSpacing()[:2][::-1])
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [axes], [measures]
    data.SharedFunctionalGroupsSequence = [shared]
    data.SegmentSequence, frames, planes = [], [], []
    for number, (label, values) in enumerate(segments.items(), start=1):
        segment = Dataset()
        segment.SegmentNumber, segment.SegmentLabel = number, label
        data.SegmentSequence.append(segment)
        for z in np.flatnonzero(values.any(axis=(1, 2))).tolist():
            frames.append(_segment_frame(image, number, z, shift))
            planes.append(values[z])
    order = np.random.default_rng(0).permutation(len(frames)) if shuffle else range(len(frames))
    data.PerFrameFunctionalGroupsSequence = [frames[index] for index in order]
    data.NumberOfFrames = len(frames)
    x, y, _ = image.GetSize()
    data.Rows, data.Columns, data.SamplesPerPixel = y, x, 1
    data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME2", 0
    data.BitsAllocated = data.BitsStored = 8 if fractional else 1
    data.HighBit = data.BitsStored - 1
    stored = np.array([planes[index] for index in order])
    if fractional:
        pixels = np.rint(stored * 255).astype(np.uint8)
    else:
        pixels = np.packbits(stored.astype(np.uint8).ravel(), bitorder="little")
    data.PixelData = pixels.tobytes() + b"\0" * (pixels.size % 2)
    set_tags(data, tags or {})
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, data)
    return path


def _segment_frame(image: sitk.Image, number: int, z: int, shift: Sequence[float]) -> Dataset:
    frame, place, which = Dataset(), Dataset(), Dataset()
    origin = np.array(image.TransformIndexToPhysicalPoint((0, 0, z))) + shift
    place.ImagePositionPatient = decimals(origin)
    which.ReferencedSegmentNumber = number
    frame.PlanePositionSequence, frame.SegmentIdentificationSequence = [place], [which]
    return frame


def _common(kind: str, modality: str, patient_id: str, study_uid: str | None) -> Dataset:
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = kind, uid()
    data.Modality, data.PatientID = modality, patient_id
    data.StudyInstanceUID, data.SeriesInstanceUID = study_uid or uid(), uid()
    data.StudyDate, data.StudyTime = "20010101", "120000"
    for keyword, value in PLANTED.items():
        setattr(data, keyword, value)
    return data
