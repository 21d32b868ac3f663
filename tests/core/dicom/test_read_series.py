"""What is written comes back: voxels exactly, geometry to rounding, whatever the order of files."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from tests.core.dicom.writer import PLANTED, SYNTAXES, random_volume, write_series

from survkit.dicom import DicomVolume, RefusedSeriesError, discover, read_series
from survkit.dicom.stack_geometry import axes_of, stack_geometry

AXES = [
    np.stack([row * sign, column * other, np.cross(row * sign, column * other)], axis=1)
    for row, column in itertools.permutations(np.eye(3), 2)
    for sign, other in itertools.product((1.0, -1.0), repeat=2)
]
"""All 24 right-handed ways in which slices can lie along the patient's axes."""


def only_volume(folder: Path, **options: Any) -> DicomVolume:
    """Return the volume of a folder that holds one series and nothing else."""
    found = discover(folder)
    assert found.refused == ()
    (series,) = found.series
    return read_series(series, **options)


def array_of(volume: DicomVolume) -> np.ndarray[Any, Any]:
    return sitk.GetArrayFromImage(volume.image)


@pytest.mark.parametrize("axes", AXES, ids=lambda axes: str(axes[:, :2].T.astype(int).tolist()))
@pytest.mark.parametrize("sense", [1.0, -1.0])
def test_voxels_stand_where_they_were_written(
    tmp_path: Path, axes: np.ndarray[Any, Any], sense: float
) -> None:
    """In every axis order and direction, each voxel is found at its place in the patient."""
    direction = axes * [1.0, 1.0, sense]
    truth = random_volume()
    write_series(tmp_path, truth, direction=direction)

    volume = only_volume(tmp_path)

    step = np.array([0.7, 0.8, 3.0])
    image = volume.image
    assert image.GetPixelID() == sitk.sitkFloat32
    np.testing.assert_allclose(image.GetSpacing(), step)
    code = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(image.GetDirection())
    assert volume.quality.orientation == code
    for z, y, x in np.ndindex(truth.shape):
        place = np.array([-10.0, -20.0, 30.0]) + direction @ (step * [x, y, z])
        index = image.TransformPhysicalPointToIndex(place.tolist())
        assert image[index] == truth[z, y, x]


def test_an_oblique_volume_keeps_its_direction(tmp_path: Path) -> None:
    """Slices off the patient's axes are no reason to resample or to refuse."""
    angle = np.radians(20.0)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    turn = turn @ turn.T[[0, 2, 1]][:, [0, 2, 1]]
    write_series(tmp_path, random_volume(), direction=turn)

    volume = only_volume(tmp_path)

    np.testing.assert_allclose(np.reshape(volume.image.GetDirection(), (3, 3)), turn, atol=1e-6)
    assert volume.quality.orientation.endswith("oblique")


@pytest.mark.parametrize(
    ("syntax", "signed"),
    [
        (syntax, signed)
        for syntax in SYNTAXES
        for signed in (False, True)
        if (syntax, signed) != ("jpeg-2000", True)  # the writer's library has no signed ones
    ],
)
def test_every_transfer_syntax_gives_the_same_voxels(
    tmp_path: Path, syntax: str, signed: bool
) -> None:
    """Compression is a matter of storage."""
    truth = random_volume((3, 16, 12))
    write_series(tmp_path, truth, transfer_syntax=syntax, signed=signed)

    volume = only_volume(tmp_path)

    np.testing.assert_array_equal(array_of(volume), truth)
    assert str(SYNTAXES[syntax].name) == volume.quality.transfer_syntax
    assert not volume.quality.lossy


def test_file_names_and_numbers_say_nothing_about_order(tmp_path: Path) -> None:
    """Slices are sorted by their positions; names and InstanceNumber may be shuffled."""
    truth = random_volume((9, 4, 4))
    names = [f"{number:03d}" for number in range(9)]
    random.Random(3).shuffle(names)

    def shuffled(index: int, data: Dataset) -> None:
        data.InstanceNumber = int(names[-1 - index]) + 1

    write_series(tmp_path, truth, name=names.__getitem__, change=shuffled)

    np.testing.assert_array_equal(array_of(only_volume(tmp_path)), truth)


def test_the_thickness_is_not_the_spacing(tmp_path: Path) -> None:
    """Slices may overlap or leave gaps; only positions say how far apart they are."""
    write_series(tmp_path, random_volume(), tags={"SliceThickness": 1.25})

    volume = only_volume(tmp_path)

    assert volume.quality.spacing[0] == pytest.approx(3.0)
    assert volume.quality.thickness == 1.25


def test_slope_and_intercept_may_differ_between_slices(tmp_path: Path) -> None:
    """PET is scaled slice by slice; every slice keeps its own rule."""
    stored = np.random.default_rng(1).integers(0, 30000, (4, 5, 6))
    slopes, intercepts = np.array([0.5, 2.0, 0.125, 3.0]), np.array([0.0, 1.0, -2.0, 4.0])
    truth = stored * slopes[:, None, None] + intercepts[:, None, None]
    write_series(tmp_path, truth, modality="PT", slope=slopes, intercept=intercepts)

    volume = only_volume(tmp_path)

    np.testing.assert_array_equal(array_of(volume), truth.astype(np.float32))
    assert volume.quality.unit == "BQML"


def test_padding_is_air_and_counted(tmp_path: Path) -> None:
    """What was never measured is the value of air, and the quality line says how much of it."""
    truth = random_volume((3, 4, 5)).clip(-990, None)
    truth[:, 0] = -3024.0
    write_series(tmp_path, truth, signed=True, tags={"PixelPaddingValue": -2000})

    volume = only_volume(tmp_path)

    expected = np.where(truth == -3024.0, -1000.0, truth)
    np.testing.assert_array_equal(array_of(volume), expected)
    assert volume.quality.padding == 15
    assert "15 padding voxels" in volume.quality.line()


def test_padding_declared_with_the_other_sign_is_understood(tmp_path: Path) -> None:
    """-2000 in a signed image may be declared as its bits, 63536."""

    def unsigned(index: int, data: Dataset) -> None:
        data.add_new("PixelPaddingValue", "US", 63536)

    truth = np.full((3, 4, 5), 40.0)
    truth[1, 2, 3] = -3024.0
    write_series(tmp_path, truth, signed=True, change=unsigned)

    volume = only_volume(tmp_path)

    assert array_of(volume)[1, 2, 3] == -1000.0
    assert volume.quality.padding == 1


def test_undeclared_values_below_air_stay_and_are_noted(tmp_path: Path) -> None:
    """Nothing is repaired that the file does not declare."""
    truth = random_volume((3, 4, 5))
    truth[0, 0, 0] = -3000.0
    write_series(tmp_path, truth, signed=True)

    volume = only_volume(tmp_path)

    np.testing.assert_array_equal(array_of(volume), truth)
    assert "1 voxels below -1024 HU" in volume.quality.line()


def test_twelve_stored_bits_carry_their_sign_at_the_twelfth(tmp_path: Path) -> None:
    """A signed value whose sign is not repeated in the unused bits is still negative."""
    truth = random_volume((3, 4, 5))

    def narrow(index: int, data: Dataset) -> None:
        stored = np.frombuffer(data.PixelData, "<i2")
        data.PixelData = (stored.astype("<u2") & 0x0FFF).tobytes()
        data.BitsStored, data.HighBit = 12, 11

    write_series(tmp_path, truth, intercept=0.0, signed=True, change=narrow)

    np.testing.assert_array_equal(array_of(only_volume(tmp_path)), truth)


def test_identical_copies_are_left_out_and_counted(tmp_path: Path) -> None:
    """A folder that was exported twice holds one series."""
    truth = random_volume()
    write_series(tmp_path, truth, duplicate=(0, 3))

    volume = only_volume(tmp_path)

    np.testing.assert_array_equal(array_of(volume), truth)
    assert volume.quality.duplicates == 2
    assert "2 identical slices left out" in volume.quality.line()


def test_a_radiograph_in_monochrome1_is_inverted(tmp_path: Path) -> None:
    """Higher means brighter, as in MONOCHROME2; the range is that of the stored bits."""
    stored = np.random.default_rng(2).integers(0, 4096, (1, 6, 7))

    def radiograph(index: int, data: Dataset) -> None:
        data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
        data.Modality = "DX"
        data.BitsStored, data.HighBit = 12, 11
        data.PhotometricInterpretation = "MONOCHROME1"
        data.ImagerPixelSpacing = data.PixelSpacing
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            delattr(data, keyword)

    write_series(tmp_path, stored, intercept=0.0, change=radiograph)

    volume = only_volume(tmp_path)

    np.testing.assert_array_equal(array_of(volume), 4095 - stored)
    assert volume.image.GetSpacing() == (0.7, 0.8, 1.0)


def test_tilt_is_refused_with_its_angle_unless_asked(tmp_path: Path) -> None:
    """A sheared stack read as upright would bend every organ."""
    write_series(tmp_path, random_volume(), tilt=12.0)
    (series,) = discover(tmp_path).series

    with pytest.raises(RefusedSeriesError, match=r"lean by 12\.00 degrees.*set tilt to 'correct'"):
        read_series(series)


@pytest.mark.parametrize("tilt", [12.0, -12.0, 0.5])
def test_corrected_tilt_puts_voxels_where_they_were(tmp_path: Path, tilt: float) -> None:
    """A linear ramp is exact under linear interpolation, so each inner voxel tells its place."""
    z, y, x = np.mgrid[:9, :20, :11]
    drift = 3.0 * z * np.tan(np.radians(tilt))
    truth = 10.0 * (y * 0.8 + drift) + 5.0 * x + 3.0 * z
    # whole stored values at a fine slope, so that rounding stays below the tolerance
    write_series(tmp_path, truth, tilt=tilt, slope=0.01, intercept=-300.0)

    volume = only_volume(tmp_path, tilt="correct")

    found = array_of(volume)
    place = np.array(volume.image.GetOrigin()) - [-10.0, -20.0, 30.0]
    rows = np.arange(found.shape[1])[None, :, None] * 0.8 + place[1]
    expected = 10.0 * rows + 5.0 * np.arange(11) + 3.0 * np.arange(9)[:, None, None]
    start, end = drift[:, :1], drift[:, :1] + 19 * 0.8
    inside = (rows >= start) & (rows <= end)
    outside = (rows < start - 0.8) | (rows > end + 0.8)
    assert inside.sum() >= 9 * 19 * 11
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.02)
    assert (found[outside] == -1000.0).all()
    assert "corrected" in volume.quality.line()


def test_a_tilt_below_the_tolerance_is_none(tmp_path: Path) -> None:
    """Rounding of positions is no gantry tilt."""
    write_series(tmp_path, random_volume(), tilt=0.05)

    assert not only_volume(tmp_path).quality.tilt_corrected


def test_no_identifier_reaches_the_quality_line_or_a_label(tmp_path: Path) -> None:
    """Neither planted names nor UIDs nor dates are said, even where folders are named by UIDs."""
    folder = tmp_path / "1.2.840.99999.1.2.3.4" / "1.2.840.99999.5.6.7.8"
    write_series(folder, random_volume(), patient_id="PLANTEDID", name="1.2.3.4.5.6.{}".format)

    (series,) = discover(tmp_path).series
    shown = series.label + read_series(series).quality.line()

    for secret in [*PLANTED.values(), "PLANTEDID", "1.2.840.99999", "20010101", series.series_uid]:
        assert secret not in shown


@settings(max_examples=50, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-3, 3)] * 3),
    step=st.floats(0.3, 10.0),
    count=st.integers(2, 60),
    data=st.data(),
)
def test_geometry_is_that_of_the_positions_in_any_pose(
    angles: tuple[float, ...], step: float, count: int, data: st.DataObject
) -> None:
    """Turned and moved at will, spacing, origin and normal come back; noise within 0.005 mm too."""
    turn = np.linalg.qr(np.random.default_rng(abs(hash(angles)) % 2**32).normal(size=(3, 3)))[0]
    turn[:, 2] = np.cross(turn[:, 0], turn[:, 1])
    origin = np.array(data.draw(st.tuples(*[st.floats(-500, 500)] * 3)))
    noise = np.random.default_rng(count).uniform(-0.005, 0.005, count)
    noise[[0, -1]] = 0
    positions = origin + (np.arange(count) * step + noise)[:, None] * turn[:, 2]
    orientation = [*turn[:, 0], *turn[:, 1]]

    found = stack_geometry(positions, orientation, (0.5, 0.6))

    np.testing.assert_allclose(found.spacing, (step, 0.5, 0.6), rtol=1e-6)
    np.testing.assert_allclose(found.origin, origin)
    np.testing.assert_allclose(found.direction, axes_of(orientation), atol=1e-9)
    assert found.tilt < 1e-4


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(10, 80),
    step=st.floats(0.3, 10.0),
    data=st.data(),
)
def test_every_missing_slice_is_counted(count: int, step: float, data: st.DataObject) -> None:
    """Whichever inner slices are taken out of a regular stack, the refusal says how many."""
    inner = st.integers(1, count - 2)
    lost = data.draw(st.sets(inner, min_size=1, max_size=max(1, count // 6)))
    left = [index for index in range(count) if index not in lost]
    positions = np.array([[0.0, 0.0, index * step] for index in left])

    with pytest.raises(RefusedSeriesError) as caught:
        stack_geometry(positions, (1, 0, 0, 0, 1, 0), (1.0, 1.0))

    assert caught.value.rule == "missing-slices"
    assert str(caught.value).startswith(f"{len(lost)} slice")
