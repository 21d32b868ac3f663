"""What a figure of one subject says in words, and what it weighs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from survkit.data import Cohort
from survkit.errors import PluginError
from survkit.explaining import explain_run
from survkit.explaining.subject_figure import LIMIT, subject_picture
from survkit.explaining.subject_view import Course, SubjectView
from survkit.registry import Registry


def test_a_failure_in_an_encoder_is_its_own(
    place: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it raises becomes one sentence that names it; values out of range are refused."""
    cohort = Cohort.read(place / "phantom" / "cohort.yaml")
    slices: Any = sys.modules["encoder_of_slices"].Slices
    options: dict[str, Any] = {"registry": registry, "subjects": ["S0003"], "mask_subjects": 0}

    def fails(self: Any, sample: Any) -> torch.Tensor:
        raise IndexError("7")

    own = slices.token_images
    monkeypatch.setattr(slices, "token_images", fails)
    with pytest.raises(PluginError, match=r"Slices\.token_images fails for subject 'S0003'"):
        explain_run(place / "slices", cohort, **options)
    monkeypatch.setattr(
        slices, "token_images", lambda self, sample: sample.values[0][self.kept(sample.values)] * 9
    )
    with pytest.raises(PluginError, match="must give values from 0 to 1"):
        explain_run(place / "slices", cohort, **options)
    monkeypatch.setattr(slices, "token_images", lambda self, sample: own(self, sample)[:-1])
    with pytest.raises(PluginError, match="a tensor of 3 axes, one entry for each of the"):
        explain_run(place / "slices", cohort, **options)
    assert not (place / "slices/explain").exists()


def view(**changes: Any) -> SubjectView:
    course = Course(
        times=np.array([0.0, 100, 200]),
        incidence=np.array([[0, 0.2, 0.4], [0, 0.1, 0.2]]),
        causes=("death", "relapse"),
        unit="days",
        horizon=200.0,
        duration=150.0,
        event=2,
    )
    given: dict[str, Any] = {
        "subject": "P-1",
        "why": "asked for",
        "modality": "ct",
        "kind": "volume",
        "grid": None,
        "weight": np.array([0.1, 0.2, 0.7]),
        "top": (2, 1),
        "images": np.random.default_rng(0).uniform(size=(3, 64, 64)).astype(np.float32),
        "without_images": "",
        "mask_share": np.array([0, 0, 0.5], dtype=np.float32),
        "course": course,
    }
    return SubjectView(**given | changes)


def test_the_words_say_what_the_picture_shows() -> None:
    """Slices with their weight, the prediction of every cause, and what happened."""
    drawn = subject_picture(view())

    assert drawn.alt == (
        "Subject P-1, asked for. Most attention in ct: slice 3 of 3, 2.1 times equal weights; "
        "slice 2 of 3, 0.6 times equal weights. Predicted by 200 days: death 40%, relapse 20%. "
        "Observed: relapse at 150 days."
    )
    assert "counted from the caudal end" in drawn.caption


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grid": (1, 3, 1), "top": (2,)}, "block (1, 3, 1)"),
        ({"kind": "image", "grid": (3, 1), "top": (1,)}, "block (2, 1)"),
        ({"kind": "vector", "top": (0,)}, "block 1 of 3"),
    ],
)
def test_blocks_are_named_by_their_place(changes: dict[str, Any], words: str) -> None:
    """Tokens on a grid are no slices, and nothing is said of an order from feet to head."""
    drawn = subject_picture(view(images=None, without_images="none", **changes))

    assert words in drawn.alt
    assert "caudal" not in drawn.caption


def test_scans_full_of_noise_still_fit_on_a_page() -> None:
    """A picture beyond the limit becomes a JPEG of lower quality."""
    noise = np.random.default_rng(0).uniform(size=(6, 320, 320)).astype(np.float32)
    drawn = subject_picture(
        view(images=noise, weight=np.full(6, 1 / 6), top=tuple(range(6)), mask_share=None)
    )

    assert drawn.media == "jpeg"
    assert len(drawn.small) <= LIMIT
