"""Real files: two public series against other readers, and all that pydicom is tested with."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
import SimpleITK as sitk

from survkit.dicom import discover, read_header, read_series
from survkit.dicom.decode import stored_planes
from survkit.dicom.pixel_format import JPEG_2000, JPEG_LS, LOSSY, NATIVE, RLE
from survkit.errors import DataError

TEST_FILES = Path(pydicom.data.__file__).parent / "test_files"
SHIPPED = sorted(path for path in TEST_FILES.rglob("*") if path.is_file())


def test_a_liver_ct_equals_simpleitks_reader(shared_data: Path) -> None:
    """Geometry and every voxel outside the padding; the padding is air."""
    folder = shared_data / "ct-dicom-crlm" / "CRLM-CT-1004"
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    expected = reader.Execute()

    (series,) = discover(folder).series
    volume = read_series(series)

    assert volume.image.GetSize() == expected.GetSize() == (128, 128, 41)
    np.testing.assert_allclose(volume.image.GetSpacing(), expected.GetSpacing(), rtol=1e-6)
    np.testing.assert_allclose(volume.image.GetOrigin(), expected.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(volume.image.GetDirection(), expected.GetDirection(), atol=1e-6)
    found, theirs = sitk.GetArrayFromImage(volume.image), sitk.GetArrayFromImage(expected)
    padding = theirs == -3024
    assert padding.sum() == volume.quality.padding > 100_000
    np.testing.assert_array_equal(found[~padding], theirs[~padding])
    assert (found[padding] == -1000).all()
    assert "CRLM" not in volume.quality.line()


def test_the_ibsi_phantom_equals_its_nifti_file(shared_data: Path) -> None:
    """The image that IBSI's reference values belong to, voxel for voxel and place for place."""
    folder = shared_data / "ibsi" / "ct_phantom"
    expected = sitk.ReadImage(str(folder / "image.nii.gz"))

    found = discover(folder)
    (series,) = found.series
    volume = read_series(series)

    assert [each.modality for each in found.others] == ["RTSTRUCT"]
    assert found.refused == ()
    assert volume.image.GetSize() == expected.GetSize() == (204, 201, 60)
    code = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(expected.GetDirection())
    turned = sitk.DICOMOrient(volume.image, code)
    np.testing.assert_allclose(turned.GetSpacing(), expected.GetSpacing(), rtol=1e-5)
    np.testing.assert_allclose(turned.GetOrigin(), expected.GetOrigin(), atol=1e-3)
    np.testing.assert_array_equal(
        sitk.GetArrayFromImage(turned), sitk.GetArrayFromImage(expected).astype(np.float32)
    )


def test_the_ibsi_digital_phantom_is_read_from_one_enhanced_file(shared_data: Path) -> None:
    """74 voxels of the mask have mean 2.149 and variance 3.045, as IBSI states (2.15, 3.05)."""
    folder = shared_data / "ibsi" / "digital_phantom"
    found = discover(folder)
    (series,) = found.series

    image = read_series(series).image
    (mask,) = (each for each in found.others if each.modality == "SEG")
    values = sitk.GetArrayFromImage(image)

    assert series.slices == 4
    assert len(mask.frames) == 4
    segment = pydicom.dcmread(mask.path).pixel_array.astype(bool)
    # Frames of the mask stand at descending y, as the image's do; the stack is sorted upwards.
    places = [frame.position[1] for frame in mask.frames if frame.position]
    inside = values[segment[np.argsort(places)]]
    assert inside.size == 74
    assert inside.mean() == pytest.approx(2.15, abs=0.005)
    assert inside.var() == pytest.approx(3.05, abs=0.005)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(TEST_FILES)))
def test_each_of_pydicoms_files_is_read_or_refused_with_a_sentence(
    tmp_path: Path, path: Path
) -> None:
    """Odd, broken, foreign: one file alone is a series, another object, refused or counted."""
    shutil.copy(path, tmp_path / path.name)

    found = discover(tmp_path)

    places = len(found.series) + len(found.others) + len(found.refused)
    assert places + sum(found.ignored.values()) == 1
    for refusal in found.refused:
        assert len(refusal.reason) > 20
        assert "\n" not in refusal.reason
    for series in found.series:
        assert read_series(series).quality.line()


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("MR_small_RLE.dcm", "MR_small.dcm"),
        ("MR_small_bigendian.dcm", "MR_small.dcm"),
        ("MR_small_expb.dcm", "MR_small.dcm"),
        ("MR_small_implicit.dcm", "MR_small.dcm"),
        ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
    ],
)
def test_one_picture_in_each_syntax_is_one_picture(name: str, reference: str) -> None:
    """Pydicom ships the same slice compressed in several ways by several programs."""
    found, expected = (
        next(stored_planes(read_header(TEST_FILES / each), [0])) for each in (name, reference)
    )

    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "J2K_pixelrep_mismatch.dcm"])
def test_stored_values_are_those_of_pydicom(name: str) -> None:
    """The independent reader of the same file agrees."""
    (found,) = stored_planes(read_header(TEST_FILES / name), [0])

    np.testing.assert_array_equal(found, pydicom.dcmread(TEST_FILES / name).pixel_array)


def test_every_kind_of_compression_is_decoded() -> None:
    """Grey pictures of each syntax come out; the others are refused in one line."""
    decoded, messages = set(), []
    for path in SHIPPED:
        try:
            header = read_header(path)
            planes = list(stored_planes(header, range(len(header.frames))))
        except DataError as error:
            messages.append(str(error))
            continue
        assert all(plane.shape == (header.rows, header.columns) for plane in planes)
        decoded.add(header.transfer_syntax)

    assert decoded >= {RLE, *JPEG_LS & LOSSY, *JPEG_2000, "1.2.840.10008.1.2.4.51", *NATIVE}
    assert not any("\n" in message for message in messages)
