"""Outlines become the voxels whose centres lie inside, or are refused with a reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from tests.core.dicom.mask_writer import blank_image, outline, square, write_structures

from survkit.dicom.rtstruct import Structure, contour_mask, read_structures
from survkit.errors import DataError

TURNED = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def test_the_reference_phantom_has_its_published_mask(shared_data: Path) -> None:
    """All 125,256 voxels of the tumour, and no other, in 26 outlines of 141 to 546 points."""
    folder = shared_data / "ibsi" / "ct_phantom"
    image = sitk.ReadImage(str(folder / "image.nii.gz"))
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "mask.nii.gz"))) > 0

    regions = read_structures(folder / "dicom" / "DCM_RS_00060.dcm")
    found = contour_mask(regions.find("GTV-1"), image)

    assert regions.names == ("GTV-1",)
    assert int(expected.sum()) == 125_256
    assert int((found != expected).sum()) == 0


@pytest.mark.parametrize("direction", [np.eye(3), TURNED], ids=["axial", "turned"])
def test_a_disc_holds_the_centres_within_its_radius(direction: np.ndarray) -> None:
    """A polygon of 20,000 corners is a circle: x² + y² < r² decides, on any axes."""
    image = blank_image(direction=direction)
    angles = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    corners = [(15.3 + 9.7 * np.cos(a), 14.1 + 9.7 * np.sin(a)) for a in angles]
    y, x = np.mgrid[:30, :32]
    expected = np.zeros((4, 30, 32), bool)
    expected[2] = (x - 15.3) ** 2 + (y - 14.1) ** 2 < 9.7**2

    found = contour_mask(Structure("disc", (outline(image, corners, 2),), ()), image)

    np.testing.assert_array_equal(found, expected)


def test_an_outline_within_another_cuts_a_hole() -> None:
    """Even-odd: a square of 21 x 21 voxels, a hole of 11 x 11, an island of 3 x 3, each once."""
    image = blank_image()
    parts = [outline(image, square(low, high), 1) for low, high in ((2.5, 23.5), (7.5, 18.5))]
    parts.append(outline(image, square(11.5, 14.5), 1))

    found = contour_mask(Structure("ring", tuple(parts), ()), image)

    assert int(found.sum()) == 21**2 - 11**2 + 3**2
    assert not found[1, 8, 8]
    assert found[1, 13, 13]


def test_a_keyhole_outline_cuts_the_same_hole() -> None:
    """A channel of no width that leads to the hole and back changes nothing."""
    image = blank_image()
    outer, inner = square(2.5, 23.5), square(7.5, 18.5)
    keyhole = [*outer, outer[0], inner[0], *reversed(inner), outer[0]]
    two = Structure("two", tuple(outline(image, each, 1) for each in (outer, inner)), ())

    one = contour_mask(Structure("one", (outline(image, keyhole, 1),), ()), image)

    np.testing.assert_array_equal(one, contour_mask(two, image))


def test_regions_that_share_an_edge_share_no_voxel() -> None:
    """A centre on an edge belongs to the region at its right or below, and to one alone."""
    image = blank_image(spacing=(1.0, 1.0, 1.0))  # whole millimetres: edges exactly on centres
    halves = [[(2, 2), (10, 2), (10, 20), (2, 20)], [(10, 2), (20, 2), (20, 20), (10, 20)]]
    masks = [contour_mask(Structure("half", (outline(image, h, 1),), ()), image) for h in halves]

    assert not (masks[0] & masks[1]).any()
    assert [int(mask.sum()) for mask in masks] == [8 * 18, 10 * 18]


@pytest.mark.parametrize("seed", range(5))
def test_a_crossing_outline_equals_ray_casting(seed: int) -> None:
    """Even-odd by brute force: every voxel centre's ray to the right, edge by edge."""
    image = blank_image()
    corners = np.random.default_rng(seed).uniform(-0.4, 29.4, (25, 2))
    inside = np.zeros((30, 32), bool)
    for y in range(30):
        for x in range(32):
            for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
                if (y0 <= y) != (y1 <= y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
                    inside[y, x] ^= True

    found = contour_mask(Structure("any", (outline(image, corners.tolist(), 1),), ()), image)

    np.testing.assert_array_equal(found[1], inside)
    assert not found[[0, 2, 3]].any()


def test_the_order_and_the_sense_of_corners_change_nothing() -> None:
    """A random star polygon, turned round and begun elsewhere, holds the same voxels."""
    image, generator = blank_image(), np.random.default_rng(3)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = generator.uniform(3, 12, 40)
    corners = np.c_[15 + radius * np.cos(angles), 15 + radius * np.sin(angles)]
    base = contour_mask(Structure("star", (outline(image, corners.tolist(), 1),), ()), image)

    for other in (corners[::-1], np.roll(corners, 17, axis=0)):
        points = outline(image, other.tolist(), 1)
        np.testing.assert_array_equal(contour_mask(Structure("star", (points,), ()), image), base)


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Names, points and references."""
    image = blank_image()
    points = outline(image, square(3, 9), 1)

    regions = read_structures(write_structures(tmp_path / "rt.dcm", {"GTV": [points], "Lung": []}))

    assert regions.names == ("GTV", "Lung")
    np.testing.assert_allclose(regions.find("GTV").contours[0], points, atol=1e-9)
    assert regions.series_uids == {"1.2.3.4.6"}
    assert regions.frame_uids == {"1.2.3.4.5"}


def refused(structure: Structure, match: str) -> None:
    """Assert that a region is refused with these words."""
    with pytest.raises(DataError, match=match):
        contour_mask(structure, blank_image())


def test_what_cannot_be_a_region_is_refused() -> None:
    """Off the slices, across slices, beyond the image, between centres, of points, of nothing."""
    image = blank_image()

    def one(corners: list[tuple[float, float]], plane: float) -> Structure:
        return Structure("GTV", (outline(image, corners, plane),), ())

    across = outline(image, square(3, 9), 1)
    across[0, 2] += 3.0
    refused(one(square(3, 9), 1.3), "0.9 mm from the nearest slice, slices are 3 mm apart")
    refused(Structure("GTV", (across,), ()), "from the nearest slice")
    refused(one(square(3, 33), 1), "beyond the image")
    refused(one(square(3, 9), 4), "3 mm beyond the image|1.5 mm beyond the image")
    refused(one(square(3.2, 3.7), 1), "smaller than a voxel")
    refused(Structure("GTV", (), ("POINT",)), "only outlines of the kind POINT")
    refused(Structure("GTV", (), ()), "no outline")


def test_a_tolerance_of_a_twentieth_of_a_slice() -> None:
    """0.04 slices off are the slice; 0.06 are another image."""
    image = blank_image()
    contour_mask(Structure("GTV", (outline(image, square(3, 9), 1.04),), ()), image)

    refused(Structure("GTV", (outline(image, square(3, 9), 1.06),), ()), "0.18 mm")


def test_names_that_are_not_one_region_are_refused(tmp_path: Path) -> None:
    """A misspelt name is told the close one, and a name twice is ambiguous."""
    points = outline(blank_image(), square(3, 9), 1)
    pairs = [("GTV-1", [points]), ("Heart", [points]), ("Heart", [points])]
    regions = read_structures(write_structures(tmp_path / "rt.dcm", pairs))

    with pytest.raises(DataError, match=r"no region is named 'GTV1'\. Did you mean 'GTV-1'"):
        regions.find("GTV1")
    with pytest.raises(DataError, match="2 regions are named 'Heart'"):
        regions.find("Heart")


def test_a_region_with_broken_coordinates_spoils_no_other(tmp_path: Path) -> None:
    """Eight numbers are no points: that region is refused when it is used, the other is drawn."""
    image = blank_image()
    good, broken = outline(image, square(2.5, 8.5), 1), np.arange(8.0)
    pairs = [("good", [good]), ("broken", [broken])]

    regions = read_structures(write_structures(tmp_path / "rt.dcm", pairs))

    assert contour_mask(regions.find("good"), image).sum() == 36
    with pytest.raises(DataError, match="region 'broken': an outline of 8 numbers"):
        contour_mask(regions.find("broken"), image)


def test_an_outline_of_two_points_has_no_inside(tmp_path: Path) -> None:
    """Beside a square it adds nothing; alone there is no region."""
    image = blank_image()
    line = outline(image, [(1, 1), (5, 5)], 1)
    pairs = [("both", [outline(image, square(2.5, 8.5), 1), line]), ("line", [line])]

    regions = read_structures(write_structures(tmp_path / "rt.dcm", pairs))

    assert contour_mask(regions.find("both"), image).sum() == 36
    with pytest.raises(DataError, match="only outlines of the kind CLOSED_PLANAR of 2 points"):
        contour_mask(regions.find("line"), image)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    """Plain text, and a DICOM file of another modality."""
    (tmp_path / "text.dcm").write_text("not DICOM")
    other = write_structures(tmp_path / "ct.dcm", {}, tags={"Modality": "CT"})

    with pytest.raises(DataError, match="not a DICOM file"):
        read_structures(tmp_path / "text.dcm")
    with pytest.raises(DataError, match="not an RTSTRUCT"):
        read_structures(other)
