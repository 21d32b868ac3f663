"""What an encoder of slices refuses, by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.slicetention.small_slices import (
    CACHED,
    encoder,
    sample,
)

from survkit.errors import CompositionError, ConfigError, DataError
from survkit.specs import InputSpec
from survkit_slicetention.slices import SlicesEncoder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"values": sample().values / 1000}, r"phantom 0: .*in HU.*range from -1"),
        ({"spacing": None}, r"phantom 0: the voxel size in mm .* is needed"),
        ({"values": torch.zeros(1, 16, 16, 16)}, "phantom 0: .*HU"),
    ],
)
def test_a_ct_that_is_none_is_refused_by_name(change: dict[str, Any], said: str) -> None:
    """A windowed one, say: the sentence names the file and the range of its values."""
    with pytest.raises(DataError, match=said):
        encoder().prepare(replace(sample(), **change))


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"views": 2, "stem": "trainable"}, CompositionError, "views are stored.*freeze: last"),
        ({"views": -1}, ConfigError, "views is a number that is not negative"),
        ({"dropout": 1.0}, ConfigError, "dropout in"),
        ({"statistics": (0.0, 0.0)}, ConfigError, "mean and SD"),
        ({"chunk": 0}, ConfigError, "chunk is a number of slices"),
        ({"freeze": "all"}, ConfigError, "freeze must be one of last, half, none"),
    ],
)
def test_settings_that_contradict_are_refused(
    settings: dict[str, Any], error: type[Exception], said: str
) -> None:
    """In a sentence that says what would do."""
    with pytest.raises(error, match=said):
        encoder(**settings)


def test_other_inputs_are_refused_by_their_kind() -> None:
    """Two channels are no CT either."""
    with pytest.raises(
        CompositionError, match=r"slices needs a volume modality.*this one is a vector"
    ):
        SlicesEncoder(InputSpec(kind="vector", shape=(3,)), **CACHED)
    with pytest.raises(CompositionError, match="a volume of 2 channels"):
        SlicesEncoder(InputSpec(kind="volume", shape=(2, 16, 16, 16)), **CACHED)
