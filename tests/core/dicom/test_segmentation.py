"""Segments are put onto the image's grid by their own positions, or refused with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.core.dicom.mask_writer import blank_image, write_segmentation

from survkit.dicom.segment_mask import segment_mask
from survkit.dicom.segmentation import read_segmentation
from survkit.errors import DataError

TURNED = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
SHAPE = (4, 7, 9)  # 63 pixels per frame: frames begin within bytes


def two_segments(seed: int = 0) -> dict[str, np.ndarray]:
    """Return two random masks; the first holds nothing of slice 1."""
    generator = np.random.default_rng(seed)
    masks = {name: generator.random(SHAPE) < 0.4 for name in ("tumour", "lung")}
    masks["tumour"][1] = False
    return masks


@pytest.mark.parametrize("direction", [np.eye(3), TURNED], ids=["axial", "turned"])
@pytest.mark.parametrize("shuffle", [False, True], ids=["in order", "shuffled"])
def test_binary_segments_come_back_exactly(
    tmp_path: Path, direction: np.ndarray, shuffle: bool
) -> None:
    """Every voxel of both, whatever the order of frames; bits run over frame borders."""
    image, masks = blank_image(SHAPE, direction=direction), two_segments()

    read = read_segmentation(
        write_segmentation(tmp_path / "seg.dcm", image, masks, shuffle=shuffle)
    )

    assert read.names == ("tumour", "lung")
    assert read.series_uids == {"1.2.3.4.6"}
    for name, mask in masks.items():
        np.testing.assert_array_equal(segment_mask(read, read.find(name), image), mask)


def test_a_fractional_segment_needs_its_threshold(tmp_path: Path) -> None:
    """Half and more of 255 is inside at 0.5; without a threshold nothing is guessed."""
    image = blank_image(SHAPE)
    shares = np.random.default_rng(1).integers(0, 256, SHAPE) / 255
    read = read_segmentation(
        write_segmentation(tmp_path / "seg.dcm", image, {"tumour": shares}, fractional=True)
    )

    np.testing.assert_array_equal(segment_mask(read, 1, image, threshold=0.5), shares >= 0.5)
    with pytest.raises(DataError, match="fractional; say from which share"):
        segment_mask(read, 1, image)
    with pytest.raises(DataError, match="above 0 and up to 1, not 2"):
        segment_mask(read, 1, image, threshold=2)


def refused(path: Path, match: str, name: str = "tumour", **settings: Any) -> None:
    """Assert that a file is refused with these words, when it is read or when it is placed."""
    image = blank_image(SHAPE)
    path = write_segmentation(path, image, two_segments(), **settings)

    def place() -> None:
        read = read_segmentation(path)
        segment_mask(read, read.find(name), image)

    with pytest.raises(DataError, match=match):
        place()


def test_frames_that_are_not_slices_of_the_image_are_refused(tmp_path: Path) -> None:
    """Off the slices, off the pixels, beyond the image."""
    refused(tmp_path / "1.dcm", "frame 1: it lies 1 mm off", shift=(0, 0, 1.0))
    refused(tmp_path / "2.dcm", "frame 1: it lies 0.3 mm off", shift=(0.3, 0, 0))
    refused(tmp_path / "3.dcm", "reaches beyond the image", shift=(0.7, 0, 0))
    refused(tmp_path / "4.dcm", "reaches beyond the image", shift=(0, 0, -3.0))


def test_files_that_break_their_own_promises_are_refused(tmp_path: Path) -> None:
    """Type, counts, pixels, names."""
    labelmap = {"SegmentationType": "LABELMAP"}
    placeless = {"SharedFunctionalGroupsSequence": None}
    refused(tmp_path / "1.dcm", "SegmentationType is LABELMAP", tags=labelmap)
    refused(tmp_path / "2.dcm", "7 frames are described, 9", tags={"NumberOfFrames": 9})
    refused(tmp_path / "3.dcm", "it is cut off", tags={"PixelData": b"\1\2"})
    refused(tmp_path / "4.dcm", "there are no pixels", tags={"PixelData": None})
    refused(tmp_path / "5.dcm", "there is no PlaneOrientationSequence", tags=placeless)
    refused(tmp_path / "6.dcm", r"named 'tumor'\. Did you mean 'tumour'", name="tumor")
    refused(tmp_path / "7.dcm", "not a SEG", tags={"Modality": "CT"})


def test_a_segment_on_other_axes_or_pixels_is_refused(tmp_path: Path) -> None:
    """The frames' own orientation and spacing are compared with the image's."""
    path = write_segmentation(tmp_path / "seg.dcm", blank_image(SHAPE), two_segments())
    read = read_segmentation(path)

    with pytest.raises(DataError, match="its axes are not the image's"):
        segment_mask(read, 1, blank_image(SHAPE, direction=TURNED))
    with pytest.raises(DataError, match=r"0\.8 x 0\.7 mm, the image's 0\.8 x 0\.9 mm"):
        segment_mask(read, 1, blank_image(SHAPE, spacing=(3.0, 0.8, 0.9)))


def test_an_empty_segment_and_a_pointless_threshold_are_refused(tmp_path: Path) -> None:
    """A segment without a frame, and a threshold for yes and no."""
    masks = two_segments() | {"nothing": np.zeros(SHAPE, bool)}
    image = blank_image(SHAPE)
    read = read_segmentation(write_segmentation(tmp_path / "seg.dcm", image, masks))

    with pytest.raises(DataError, match="segment 'nothing' is empty"):
        segment_mask(read, read.find("nothing"), image)
    with pytest.raises(DataError, match="binary; a threshold means nothing"):
        segment_mask(read, 1, image, threshold=0.5)
