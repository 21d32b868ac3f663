"""One DICOM file of a radiograph as an image: bright where dense, in its own values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage, SecondaryCaptureImageStorage
from tests.core.dicom.writer import save, set_tags, slice_dataset

from survkit.data.modality_config import ImageModality
from survkit.data.readers.image import read_sample
from survkit.data.readers.image_files import ImageFiles
from survkit.data.readers.picture import picture_size
from survkit.errors import DataError
from survkit.protocols import Sample

STORED = np.random.default_rng(4).integers(0, 4096, (6, 9)).astype("<u2")
TWELVE = {"BitsStored": 12, "HighBit": 11}


def written(
    path: Path, tags: Mapping[str, Any] = {}, *, stored: Any = STORED, syntax: str = "explicit"
) -> Path:
    """Write a computed radiograph of 12 bits with further tags."""
    data = slice_dataset(stored, "CT")
    data.SOPClassUID, data.Modality = ComputedRadiographyImageStorage, "CR"
    data.ImageType = ["ORIGINAL", "PRIMARY"]
    data.PatientID, data.StudyInstanceUID, data.SeriesInstanceUID = "P1", "1.2.3.4", "1.2.3.4.5"
    set_tags(data, {**TWELVE, **tags})
    save(path, data, syntax)
    return path


def read(path: Path, **declared: Any) -> Sample:
    """Read a file as a cohort would."""
    config = ImageModality(kind="image", path="p", **declared)
    return read_sample(config, ImageFiles((path,), (None,)), 0)


@pytest.mark.parametrize(
    "syntax", ["explicit", "implicit", "deflated", "rle", "jpeg-lossless", "jpeg-2000"]
)
def test_stored_values_arrive_whatever_the_syntax(tmp_path: Path, syntax: str) -> None:
    """Twelve bits are twelve bits; what the file is called does not matter."""
    path = written(tmp_path / "IM0001", syntax=syntax)

    np.testing.assert_array_equal(read(path).values[0].numpy(), STORED)
    assert picture_size(path) == STORED.shape


def test_monochrome1_is_mirrored(tmp_path: Path) -> None:
    """The least value is shown white there, so 4095 - v is as bright as MONOCHROME2 shows v."""
    plain = read(written(tmp_path / "2.dcm"))
    mirrored = written(
        tmp_path / "1.dcm", {"PhotometricInterpretation": "MONOCHROME1"}, stored=4095 - STORED
    )

    assert read(mirrored).values.equal(plain.values)
    assert read(mirrored, invert=True).values.equal(4095 - plain.values)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_slope_and_intercept_are_applied_and_no_window(tmp_path: Path, photometric: str) -> None:
    """Values are 2 v - 100 within -100 to 8090; the VOI window of the file is left alone."""
    tags = {"RescaleSlope": "2", "RescaleIntercept": "-100", "RescaleType": "US"}
    tags |= {"WindowCenter": "500", "WindowWidth": "10", "PhotometricInterpretation": photometric}
    path = written(tmp_path / "x.dcm", tags)
    expected = 2.0 * STORED - 100
    if photometric == "MONOCHROME1":
        expected = 8090 - 100 - expected

    np.testing.assert_array_equal(read(path).values[0].numpy(), expected)
    ranged = read(path, range=[0.0, 255.0]).values[0].numpy()
    np.testing.assert_allclose(ranged, (expected + 100) / 8190 * 255, rtol=1e-6)


def test_signed_pixels_have_a_signed_range(tmp_path: Path) -> None:
    """Twelve signed bits go from -2048 to 2047, and are mirrored there."""
    stored = np.array([[-2048, 0, 2047]], dtype="<i2")
    tags = {"PhotometricInterpretation": "MONOCHROME1"}
    path = written(tmp_path / "x.dcm", tags, stored=stored)

    assert read(path).values.flatten().tolist() == [2047, -1, -2048]
    assert read(path, range=[0.0, 255.0]).values.flatten()[0] == 255


def test_a_captured_radiograph_is_one(tmp_path: Path) -> None:
    """Archives export radiographs as secondary captures; those of other origin are refused."""
    kind = {"SOPClassUID": SecondaryCaptureImageStorage}
    path = written(tmp_path / "x.dcm", {**kind, "Modality": "DX"})

    np.testing.assert_array_equal(read(path).values[0].numpy(), STORED)
    with pytest.raises(DataError, match="Modality is 'OT'"):
        read(written(tmp_path / "y.dcm", {**kind, "Modality": "OT"}))


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"NumberOfFrames": "2"}, r"x\.dcm: a radiograph has one frame, but this file has 2"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "one sample per pixel"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "Modality": "CT"}, "is kind: volume"),
        ({"PresentationLUTShape": "INVERSE"}, "goes with PresentationLUTShape IDENTITY"),
        ({"ModalityLUTSequence": [Dataset()]}, "non-linear ModalityLUTSequence"),
        ({"RescaleSlope": "2"}, "stand together or not at all"),
        ({"ImagerPixelSpacing": ["0.2", "0.1"]}, "pixels must be square, but are 0.2 x 0.1 mm"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "screenshot"),
        ({"BitsStored": 8, "HighBit": 7}, "stored values must be 0 to 255"),
    ],
)
def test_what_is_no_plain_radiograph_is_refused_by_name(
    tmp_path: Path, tags: dict[str, Any], message: str
) -> None:
    """Frames, colours, volumes, contradictions: one sentence each, with the file."""
    path = written(tmp_path / "x.dcm", tags)

    with pytest.raises(DataError, match=message):
        read(path)


def test_gray_dicom_is_no_rgb_unless_converted(tmp_path: Path) -> None:
    """Converted, the three channels are the one."""
    path = written(tmp_path / "x.dcm")

    with pytest.raises(DataError, match="the image is gray, but color: rgb is declared"):
        read(path, color="rgb")
    three = read(path, color="rgb", convert=True).values.numpy()
    np.testing.assert_array_equal(three, np.stack([STORED] * 3))


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    """Half a file is no picture, whatever of it could be decoded."""
    path = written(tmp_path / "x.dcm")
    path.write_bytes(path.read_bytes()[:-40])

    with pytest.raises(DataError, match="cut off"):
        read(path)
