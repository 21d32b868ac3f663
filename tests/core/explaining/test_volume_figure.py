"""Slices are turned, stretched and coloured as they should be."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from typing import Any

import numpy as np
import pytest
import torch

from survkit.explaining.offered_volumes import error_numbers
from survkit.explaining.planes import PLANES, cut, size_of
from survkit.explaining.subject_figure import LIMIT
from survkit.explaining.subject_view import Course
from survkit.explaining.volume_colours import OPACITY, label_colours, overlay, top_of, window_of
from survkit.explaining.volume_figure import draw_slice, volume_picture
from survkit.explaining.volume_view import ShownRow, VolumeView
from survkit.report.figure import canvas

AXIAL, CORONAL, SAGITTAL = PLANES


def view(**changes: Any) -> VolumeView:
    course = Course(
        times=np.array([0.0, 100]), incidence=np.array([[0, 0.4]]), causes=("death",),
        unit="days", horizon=100.0, duration=50.0, event=1,
    )  # fmt: skip
    values = np.random.default_rng(0).uniform(-1, 1, size=(8, 10, 12)).astype(np.float32)
    relative = np.zeros((8, 10, 12))
    relative[:4, :5, :6] = 8.0
    mask = np.zeros((8, 10, 12), dtype=bool)
    mask[2:4, 0:3, 4:7] = True
    rows = (
        ShownRow("input", "intensity", values),
        ShownRow("reconstruction", "intensity", values),
        ShownRow(
            "reconstruction minus input", "difference", values - values,
            {"mean_squared_error": 0.0, "peak_signal_to_noise_ratio": None},
        ),
        ShownRow(
            "codes", "label", (values > 0).astype(np.int64),
            {"labels_used": 2, "labels": 64, "most_frequent_share": 0.75},
        ),
        ShownRow(
            "attention ct → pet", "attention", relative,
            {"highest": 8.0, "inside_mask": 0.5, "volume_of_mask": 0.019},
        ),
    )  # fmt: skip
    given: dict[str, Any] = {
        "subject": "P-1", "why": "asked for", "modality": "pet", "rows": rows,
        "spacing": (3.0, 1.0, 1.0), "mask": mask, "centre": (3, 1, 5),
        "centre_is": "the middle of the region of interest", "members": 2, "tokens": None,
        "course": course,
    }  # fmt: skip
    return VolumeView(**given | changes)


def test_slices_are_turned_as_a_radiologist_looks() -> None:
    """The patient's right on the left, the front at the top or on the left, the head at the top."""
    volume = np.zeros((4, 5, 6))
    volume[3, 0, 0] = 1.0  # head, front, right

    for plane in PLANES:
        seen = cut(volume, plane, (3, 0, 0))
        assert seen[0, 0] == 1.0, plane.name
        assert seen.sum() == 1.0, plane.name
    assert cut(volume, CORONAL, (3, 0, 0)).shape == (4, 6)
    assert cut(volume, SAGITTAL, (3, 0, 0)).shape == (4, 5)


def test_spacing_stretches_slices() -> None:
    """Voxels of 3 mm along z and 1 mm else: a coronal slice of cubes is three times as high."""
    shape = (8, 8, 8)

    assert size_of(AXIAL, shape, (3.0, 1.0, 1.0)) == (8, 8)
    assert size_of(CORONAL, shape, (3.0, 1.0, 1.0)) == (8, 24)
    assert size_of(SAGITTAL, shape, None) == (8, 8)
    with canvas(3, 3) as figure:
        axes: Any = figure.add_subplot()
        shown = view(mask=None)
        draw_slice(axes, shown, shown.rows[0], CORONAL, (-1, 1))
        left, right, bottom, top = axes.images[0].get_extent()
        assert axes.get_aspect() == 1.0
        assert (right - left) / (bottom - top) == 12 / 24


def test_a_single_block_has_nothing_to_choose() -> None:
    """Its weight is one, whatever was learnt, so no multiple of equal weights is told."""
    row = ShownRow(
        "attention ct → pet", "attention", np.ones((2, 2, 2)), {"highest": 1, "blocks": 1}
    )

    assert row.words() == "attention ct → pet: one block alone, which takes all of it"


def test_the_scale_is_the_same_for_all_slices() -> None:
    """A millimetre is as long in the axial slice as in the others, whatever the shape."""
    found = volume_picture(view())
    root = xml.fromstring(found.svg)
    images = [each for each in root.iter() if each.tag.endswith("image")]

    assert len(images) == 3 * len(view().rows), "an overlay is one image with what it lies on"
    sizes = [(float(each.attrib["width"]), float(each.attrib["height"])) for each in images[:3]]
    millimetres = [(12, 10), (12, 24), (10, 24)]
    scales = [
        size / real for pair, known in zip(sizes, millimetres, strict=True)
        for size, real in zip(pair, known, strict=True)
    ]  # fmt: skip
    assert max(scales) / min(scales) < 1.1, "but for the rounding to whole pixels"


def test_attention_has_no_colour_where_there_is_none() -> None:
    """Opacity is in proportion to the weight, full at the largest."""
    relative = np.array([[0.0, 4.0], [8.0, 2.0]])

    opacity = overlay(relative, top_of(relative))[..., 3]

    np.testing.assert_allclose(opacity, OPACITY * relative / 8)
    assert opacity[0, 0] == 0.0
    assert top_of(np.ones(3)) > 1, "equal weights are pale"


def test_equal_codes_have_equal_colours() -> None:
    """Whatever else is in the picture; codes that follow each other differ."""
    first, second = label_colours(np.array([[5, 1], [5, 9]])), label_colours(np.array([[5, 0]]))

    assert first.shape == (2, 2, 3)
    assert (first[0, 0] == first[1, 0]).all()
    assert (first[0, 0] == second[0, 0]).all()
    colours = label_colours(np.arange(64)[None])[0]
    assert len(np.unique(colours, axis=0)) == 64
    assert np.abs(np.diff(colours, axis=0)).max(axis=1).min() > 0.2


def test_the_window_is_that_of_the_input() -> None:
    """A single hot voxel does not darken the rest; a volume of one value is drawn too."""
    values = np.linspace(-1, 1, 1000)
    values[3] = 500.0

    assert window_of(values)[1] < 1.0
    assert window_of(np.full(10, 2.0)) == (2.0, 3.0)


def test_errors_have_their_closed_form() -> None:
    """Off by 0.2 everywhere over a span of 2: 0.04, and 10 log10(4 / 0.04) = 20 dB."""
    given = np.linspace(-1, 1, 50)

    found = error_numbers(np.full(50, 0.2), given)

    assert found["mean_squared_error"] == pytest.approx(0.04)
    assert found["peak_signal_to_noise_ratio"] == pytest.approx(20.0)
    assert found["largest"] == pytest.approx(0.2)
    assert error_numbers(np.zeros(50), given) == {
        "mean_squared_error": 0.0, "peak_signal_to_noise_ratio": None, "largest": 0.0,
    }  # fmt: skip
    mask = torch.arange(50) < 5
    inside = error_numbers(np.where(np.arange(50) < 5, 0.5, 0.1), given, mask)
    assert inside["mean_squared_error_in_mask"] == pytest.approx(0.25)
    assert "mean_squared_error_in_mask" not in error_numbers(given, given, mask & ~mask)
    assert error_numbers(np.ones(50), np.ones(50))["peak_signal_to_noise_ratio"] is None


def test_the_words_say_what_the_picture_shows() -> None:
    """Each row with its numbers; how to read it in one sentence each."""
    found = volume_picture(view())

    assert found.alt == (
        "Subject P-1, asked for. Slices of pet through the middle of the region of interest: input;"
        " reconstruction; reconstruction minus input: none, they are equal; codes used here: 2 of "
        "64; the most frequent covers 75%; attention ct → pet: up to 8.0 × equal; 50.0% in the "
        "region, 1.9% of the volume. Predicted by 100 days: death 40%. Observed: death at 50 days."
    )
    assert found.caption == " ".join(found.reading)
    for words in ("the region of interest.", "grey scale", "red where", "a colour is a code",
                  "more orange", "averages 2 networks", "vertical line"):  # fmt: skip
        assert sum(words in sentence for sentence in found.reading) == 1, words
    bare = volume_picture(view(rows=view().rows[:1], mask=None, members=1, spacing=None))
    assert len(bare.reading) == 2


def test_a_large_noisy_volume_fits_on_a_page() -> None:
    """The small picture keeps within its limit."""
    values = np.random.default_rng(0).normal(size=(96, 96, 96)).astype(np.float32)
    rows = [ShownRow(str(number), "intensity", values) for number in range(5)]
    found = volume_picture(view(rows=tuple(rows), mask=None, centre=(40, 40, 40)))

    assert len(found.small) <= LIMIT
