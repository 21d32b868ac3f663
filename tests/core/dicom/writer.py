"""A writer of synthetic DICOM series, sound or with the fault that a test asks for.

Voxels, geometry and identifiers are known, so that a test can say what must come back. The
identifiers in ``PLANTED`` must never reach an output.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    PositronEmissionTomographyImageStorage,
    RLELossless,
    generate_uid,
)

PLANTED = {
    "PatientName": "PLANTED^NAME",
    "PatientBirthDate": "19330303",
    "InstitutionName": "PLANTED INSTITUTION",
    "AccessionNumber": "PLANTEDACC",
    "ReferringPhysicianName": "PLANTED^PHYSICIAN",
}
"""Identifiers that every written file holds."""

SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg-lossless": JPEGLosslessSV1,
    "jpeg-2000": JPEG2000Lossless,
}
SOP_CLASSES = {"CT": CTImageStorage, "PT": PositronEmissionTomographyImageStorage}
_count = itertools.count(1)

Change = Callable[[int, Dataset], None]
"""Called with the slice's index and its dataset just before it is written."""


def uid() -> str:
    """Return an identifier that no other call in this process returns."""
    return str(generate_uid(entropy_srcs=["survkit tests", str(next(_count))]))


def random_volume(shape: Sequence[int] = (5, 6, 7), seed: int = 0) -> NDArray[np.float64]:
    """Return whole HU from -1000 to 1000; float64 (z, y, x)."""
    return np.random.default_rng(seed).integers(-1000, 1001, shape).astype(np.float64)


def write_series(
    folder: Path,
    volume: NDArray[Any],
    *,
    spacing: Sequence[float] = (3.0, 0.8, 0.7),
    origin: Sequence[float] = (-10.0, -20.0, 30.0),
    direction: NDArray[Any] | None = None,
    modality: str = "CT",
    patient_id: str = "P1",
    study_uid: str | None = None,
    series_uid: str | None = None,
    frame_uid: str | None = None,
    slope: float | Sequence[float] = 1.0,
    intercept: float | Sequence[float] = -1024.0,
    signed: bool = False,
    tilt: float = 0.0,
    drop: Sequence[int] = (),
    duplicate: Sequence[int] = (),
    transfer_syntax: str = "explicit",
    name: Callable[[int], str] = "slice-{:04d}.dcm".format,
    tags: Mapping[str, Any] | None = None,
    change: Change | None = None,
) -> list[Path]:
    """Write one file per slice and return their paths in the order of the slices.

    Args:
        folder: Made if absent.
        volume: What the stored values become after slope and intercept; (z, y, x).
        spacing: Between voxel centres in mm (z, y, x); z along the normal of the slices.
        origin: Centre of the first voxel, LPS in mm (x, y, z).
        direction: Columns are the directions of the axes x, y and z; the identity by default. Its
            third column may be either normal.
        modality: "CT" or "PT".
        patient_id: As the file's PatientID.
        study_uid: A new one by default; so are the series and the frame of reference.
        series_uid: Of the series.
        frame_uid: Of the frame of reference.
        slope: RescaleSlope, one for all slices or one per slice.
        intercept: RescaleIntercept, likewise.
        signed: Stored values are int16 instead of uint16.
        tilt: Degrees by which the line of positions leans from the normal towards axis y.
        drop: Slices that are not written.
        duplicate: Slices that are written twice, under another file name and SOPInstanceUID.
        transfer_syntax: A key of ``SYNTAXES``.
        name: File name of a slice.
        tags: Set in every file; a value ``None`` deletes the tag.
        change: Last word on each dataset.
    """
    folder.mkdir(parents=True, exist_ok=True)
    axes = np.eye(3) if direction is None else np.asarray(direction, dtype=float)
    step = axes[:, 2] * spacing[0] + axes[:, 1] * spacing[0] * np.tan(np.radians(tilt))
    shared = {
        "StudyInstanceUID": study_uid or uid(),
        "SeriesInstanceUID": series_uid or uid(),
        "FrameOfReferenceUID": frame_uid or uid(),
    }
    slopes = np.broadcast_to(np.asarray(slope, dtype=float), len(volume))
    intercepts = np.broadcast_to(np.asarray(intercept, dtype=float), len(volume))
    paths = []
    for index, plane in enumerate(volume):
        if index in drop:
            continue
        stored = np.rint((plane - intercepts[index]) / slopes[index])
        for copy in range(1 + (index in duplicate)):
            data = slice_dataset(stored.astype("<i2" if signed else "<u2"), modality)
            data.update(shared)
            data.PatientID = patient_id
            data.InstanceNumber = index + 1
            data.ImagePositionPatient = decimals(np.asarray(origin, dtype=float) + index * step)
            data.ImageOrientationPatient = decimals([*axes[:, 0], *axes[:, 1]])
            data.PixelSpacing = decimals(spacing[1:])
            data.SliceThickness = decimals(spacing[:1])[0]
            data.RescaleSlope = decimals(slopes[index : index + 1])[0]
            data.RescaleIntercept = decimals(intercepts[index : index + 1])[0]
            set_tags(data, tags or {})
            if change is not None:
                change(index, data)
            path = folder / (name(index) if not copy else f"copy-{name(index)}")
            save(path, data, transfer_syntax)
            paths.append(path)
    return paths


def slice_dataset(stored: NDArray[np.integer[Any]], modality: str) -> Dataset:
    """Return a dataset with pixels and general tags, without identifiers of series and geometry."""
    data = Dataset()
    data.SOPClassUID = SOP_CLASSES[modality]
    data.SOPInstanceUID = uid()
    data.Modality = modality
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.SeriesDescription = "Synthetic"
    data.SeriesNumber = 1
    data.AcquisitionNumber = 1
    data.StudyDate = data.SeriesDate = data.AcquisitionDate = "20010101"
    data.StudyTime = data.SeriesTime = data.AcquisitionTime = "120000"
    data.Rows, data.Columns = stored.shape
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit = 15
    data.PixelRepresentation = int(stored.dtype.kind == "i")
    if modality == "PT":
        data.update(pet_tags())
    for keyword, value in PLANTED.items():
        setattr(data, keyword, value)
    data.PixelData = stored.tobytes()
    return data


def pet_tags() -> dict[str, Any]:
    """Return what a PET series says of its activity: 70 kg, 350 MBq F-18, an hour before."""
    dose = Dataset()
    dose.RadionuclideTotalDose = 3.5e8
    dose.RadionuclideHalfLife = 6586.2
    dose.RadiopharmaceuticalStartTime = "110000"
    return {
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["DECY", "ATTN"],
        "PatientWeight": 70.0,
        "RadiopharmaceuticalInformationSequence": [dose],
    }


def set_tags(data: Dataset, tags: Mapping[str, Any]) -> None:
    """Set tags by keyword; ``None`` deletes."""
    for keyword, value in tags.items():
        if value is not None:
            setattr(data, keyword, value)
        elif keyword in data:
            delattr(data, keyword)


def decimals(values: Sequence[float] | NDArray[Any]) -> list[str]:
    """Return numbers as DICOM decimal strings, at most 16 characters."""
    shown = []
    for value in values:
        digits = next(n for n in range(16, 0, -1) if len(f"{float(value):.{n}g}") <= 16)
        shown.append(f"{float(value):.{digits}g}")
    return shown


def save(path: Path, data: Dataset, transfer_syntax: str = "explicit") -> None:
    """Write a DICOM file of any kind; pixels are native and become what the syntax asks."""
    syntax = SYNTAXES[transfer_syntax]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = data.get("SOPClassUID") or CTImageStorage
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), data, file_meta=meta, preamble=b"\0" * 128)
    if transfer_syntax == "rle":
        file.compress(RLELossless, generate_instance_uid=False)
    elif transfer_syntax.startswith("jpeg"):
        lossless = transfer_syntax == "jpeg-lossless"
        frame = _jpeg_frame(data, path) if lossless else _jpeg_2000_frame(data)
        file.PixelData = encapsulate([frame])
        file["PixelData"].VR = "OB"
        file["PixelData"].is_undefined_length = True
        meta.TransferSyntaxUID = syntax
    else:
        meta.TransferSyntaxUID = syntax
        if transfer_syntax == "big-endian" and "PixelData" in file:
            file.PixelData = np.frombuffer(file.PixelData, "<u2").astype(">u2").tobytes()
            file["PixelData"].VR = "OW"
    if transfer_syntax == "big-endian":  # retired, so the library writes it by force only
        dcmwrite(path, file, implicit_vr=False, little_endian=False, force_encoding=True)
    else:
        dcmwrite(path, file, enforce_file_format=True)


def _jpeg_frame(data: Dataset, path: Path) -> bytes:
    """Return the slice as one JPEG lossless frame, made by SimpleITK's DICOM writer."""
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.SetUseCompression(True)
    writer.SetCompressor("JPEG")
    scratch = path.with_suffix(".scratch.dcm")
    writer.SetFileName(str(scratch))
    writer.Execute(sitk.GetImageFromArray(_plane(data)[None]))
    written = dcmread(scratch)
    scratch.unlink()
    assert written.file_meta.TransferSyntaxUID == JPEGLosslessSV1
    return next(generate_frames(written.PixelData, number_of_frames=1))


def _jpeg_2000_frame(data: Dataset) -> bytes:
    """Return the slice as one lossless JPEG 2000 code stream, made by Pillow."""
    stream = io.BytesIO()
    image = Image.fromarray(_plane(data))
    image.save(stream, format="JPEG2000", irreversible=False, no_jp2=True, num_resolutions=1)
    return stream.getvalue()


def _plane(data: Dataset) -> NDArray[np.integer[Any]]:
    kind = "<i2" if data.PixelRepresentation else "<u2"
    return np.frombuffer(data.PixelData, kind).reshape(data.Rows, data.Columns)
