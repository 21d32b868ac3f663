"""Pictures keep their aspect, and attention is laid over them on one scale that is stated."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from typing import Any

import numpy as np
import pytest

from survkit.explaining.image_colours import (
    LEAST_TOP,
    OPACITY,
    ORANGE,
    as_grey,
    laid_over,
    picture_colours,
    top_of,
)
from survkit.explaining.image_figure import image_picture
from survkit.explaining.image_view import ImageView, Randomised, ShownMap
from survkit.explaining.map_summary import maps_told
from survkit.explaining.subject_figure import LIMIT
from survkit.explaining.subject_view import Course, SubjectView

EVEN = np.full((3, 4), 1 / 12)
SPOT = np.array([[0, 0, 0, 0], [0, 0.5, 0.25, 0], [0, 0, 0.25, 0]])


def shown(name: str, weight: Any, *correlations: float | None) -> ShownMap:
    steps = [
        Randomised((number + 1) / len(correlations), weight[::-1], each)
        for number, each in enumerate(correlations)
    ]
    return ShownMap(name, weight, 0.5, tuple(steps))


def view(**changes: Any) -> ImageView:
    course = Course(
        times=np.array([0.0, 100]), incidence=np.array([[0, 0.4]]), causes=("death",),
        unit="days", horizon=100.0, duration=50.0, event=1,
    )  # fmt: skip
    mask = np.zeros((60, 90), dtype=bool)
    mask[20:40, 22:49] = True
    given: dict[str, Any] = {
        "subject": "P-1", "why": "asked for", "modality": "cxr",
        "picture": np.random.default_rng(0).uniform(size=(1, 60, 90)).astype(np.float32),
        "mask": mask, "maps": (shown("last block", SPOT, 0.8, 0.3, 0.1), shown("even", EVEN)),
        "members": 1, "tokens": None, "course": course,
    }  # fmt: skip
    return ImageView(**given | changes)


def test_attention_below_equal_weights_is_not_coloured() -> None:
    """It begins at equal weights, grows by the logarithm and is full at the top."""
    grey = np.full((1, 5, 3), 0.4, dtype=np.float32)
    relative = np.array([[0.0, 1.0, 2.0, 4.0, 16.0]])
    found = laid_over(grey, relative, top=4.0)

    for column, part in enumerate((0, 0, 0.5, 1, 1)):
        expected = 0.4 * (1 - OPACITY * part) + OPACITY * part * np.array(ORANGE)
        np.testing.assert_allclose(found[0, column], expected, atol=1e-6)
    assert top_of([relative, EVEN]) == 16
    assert top_of([np.array([1.1, 0.9])]) == LEAST_TOP


def test_three_channels_are_colours() -> None:
    """On one scale, so that hues stay; grey pictures have no hue, others show their first."""
    flat = np.linspace(0, 1, 12).reshape(3, 4)
    colour = picture_colours(np.stack([flat, 0 * flat, flat / 2]))
    grey = picture_colours(np.stack([flat, flat[::-1]]))

    np.testing.assert_allclose(colour[2, 2, 0], 2 * colour[2, 2, 2], rtol=0.05)
    assert colour[..., 1].max() == 0
    assert (grey[..., 0] == grey[..., 2]).all()
    assert (np.diff(grey[..., 0].ravel()) > 0).all()
    luma = as_grey(np.array([[[1.0, 0, 0], [1, 1, 1]]], dtype=np.float32))
    np.testing.assert_allclose(luma, [[[0.299] * 3, [1] * 3]], rtol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_words_tell_the_numbers(count: int) -> None:
    """Highest, in the region beside its area, with shuffled weights; however many maps."""
    maps = (*view().maps, shown("rollout", SPOT[::-1]))[:count]
    drawn = image_picture(view(maps=maps))

    assert drawn.alt.startswith(
        "Subject P-1, asked for. Attention over the picture cxr: last block: up to 6 × equal; "
        "50.0% in the region, 10.0% of the picture, ratio 5.00, rank correlation 0.10 to that of "
        "shuffled weights"
    )
    assert ("even: the same everywhere" in drawn.alt) == (count > 1)
    assert "Predicted by 100 days: death 40%." in drawn.alt
    assert "The outline is the region of interest." in drawn.caption
    assert len(drawn.small) <= LIMIT
    assert drawn.svg.startswith(b"<?xml")


def test_pictures_keep_their_aspect() -> None:
    """Three large pictures and three small ones, each as wide to high as the image."""
    svg = xml.fromstring(image_picture(view()).svg)
    images = [
        (float(each.attrib["width"]), float(each.attrib["height"]))
        for each in svg.iter("{http://www.w3.org/2000/svg}image")
    ]
    pictures = [each for each in images if each[1] > 0.4 * each[0]]

    assert len(pictures) == 6
    for width, height in pictures:
        assert width / height == pytest.approx(90 / 60, rel=0.03)


def test_attention_over_tokens_is_drawn_too() -> None:
    """Where the model mixes tokens otherwise than the encoder looks."""
    tokens = SubjectView(
        subject="P-1", why="asked for", modality="cxr", kind="image", grid=(3, 4),
        weight=SPOT.ravel(), top=(5,), images=None, without_images="none", mask_share=None,
        course=view().course,
    )  # fmt: skip
    with_tokens = view(tokens=tokens)

    assert "The last map is what the model mixed" in image_picture(with_tokens).caption
    assert with_tokens.to_json()["tokens"] == 12
    assert view().to_json()["tokens"] == 0


@pytest.mark.parametrize(
    ("last", "verdict", "words"),
    [
        ((0.95, 0.9), "independent", "does not depend on what was learnt"),
        ((0.95, 0.5), "partly", "depends only in part on what was learnt"),
        ((0.4, 0.5), "depends", "depends on the encoder's weights: "),
        ((None, 0.95), "independent", "does not depend"),
        ((None, None), "depends", "depends on the encoder's weights: "),
    ],
)
def test_what_shuffled_weights_leave_is_said(
    last: tuple[float | None, ...], verdict: str, words: str
) -> None:
    """By the mean over subjects of the last step; a map that became level has changed."""
    views = [view(maps=(shown("m", SPOT, 1.0, each), shown("fixed", EVEN))) for each in last]
    told = maps_told(views, {})["cxr"]
    known = [each for each in last if each is not None]

    assert told["fixed"] == {"mask": None, "randomised": None}
    assert told["m"]["randomised"]["verdict"] == verdict
    assert words in told["m"]["randomised"]["words"]
    steps = told["m"]["randomised"]["steps"]
    assert steps[0]["correlation"]["value"] == 1
    assert steps[1]["correlation"].get("value") == (
        pytest.approx(np.mean(known)) if known else None
    )


def test_a_map_that_is_nearly_level_says_nothing() -> None:
    """Whatever the weights; one subject in whom it is not level is enough to read it."""
    nearly = EVEN + np.linspace(-0.005, 0.005, 12).reshape(3, 4)
    level = view(maps=(shown("even", nearly, 0.2, 0.1),))
    other = view(maps=(shown("even", SPOT, 0.2, 0.1),))

    assert maps_told([level], {})["cxr"]["even"]["randomised"]["verdict"] == "flat"
    assert maps_told([level, other], {})["cxr"]["even"]["randomised"]["verdict"] == "depends"
