"""The encoder of slices keeps the contract, on cached features, stored views and raw slices."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from survkit.phantom import PhantomConfig, generate_phantom
from survkit.protocols import Sample
from survkit.specs import InputSpec
from survkit.testing import EncoderConformance
from survkit_slicetention.slices import SlicesEncoder

SIZE = 24
CT = torch.from_numpy(
    generate_phantom(PhantomConfig(subjects=1, size=SIZE, modalities=("ct",))).images(0).ct
)[None]
CHEST = Sample(values=CT, spacing=(320 / SIZE,) * 3, source="phantom")
INPUT = InputSpec(kind="volume", shape=(1, SIZE, SIZE, SIZE), spacing=(320 / SIZE,) * 3)
SMALL: dict[str, Any] = {
    "backbone": "mobilenetv3_small_050",
    "weights": None,
    "dim": 8,
    "size": 32,
    "spacing": (20.0, 5.0, 5.0),
}
CACHED = SMALL | {"stem": "frozen", "statistics": (-300.0, 700.0)}


class TestCachedFeatures(EncoderConformance):
    component = SlicesEncoder
    input = INPUT
    sample = CHEST
    settings: ClassVar = CACHED


class TestStoredViews(EncoderConformance):
    component = SlicesEncoder
    input = INPUT
    sample = CHEST
    settings: ClassVar = CACHED | {"views": 2, "intensity": "clip_minmax", "statistics": "train"}


class TestTrainableStem(EncoderConformance):
    component = SlicesEncoder
    input = INPUT
    sample = CHEST
    settings: ClassVar = SMALL


class TestHalf(EncoderConformance):
    component = SlicesEncoder
    input = INPUT
    sample = CHEST
    settings: ClassVar = SMALL | {"freeze": "half", "intensity": "zscore", "chunk": 3}


class TestEverything(EncoderConformance):
    component = SlicesEncoder
    input = INPUT
    sample = CHEST
    settings: ClassVar = SMALL | {"freeze": "none", "rate": 0.0}


class TestStandardised(EncoderConformance):
    component = SlicesEncoder
    input = INPUT
    sample = CHEST
    settings: ClassVar = CACHED | {"standardise": True, "views": 1}
