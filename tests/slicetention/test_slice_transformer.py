"""The Medical Slice Transformer keeps the contract, cached or not."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from survkit.flow import ModalityInput
from survkit.phantom import PhantomConfig, generate_phantom
from survkit.protocols import Sample
from survkit.specs import InputSpec
from survkit.testing import EncoderConformance
from survkit_slicetention.slice_transformer import SliceTransformerEncoder

SIZE = 16
CT = torch.from_numpy(
    generate_phantom(PhantomConfig(subjects=1, size=SIZE, modalities=("ct",))).images(0).ct
)[None]
CHEST = Sample(values=CT, spacing=(320 / SIZE,) * 3, source="phantom")
INPUT = InputSpec(kind="volume", shape=(1, SIZE, SIZE, SIZE), spacing=(320 / SIZE,) * 3)
SMALL: dict[str, Any] = {
    "backbone": "vit_tiny_patch16_224",
    "weights": None,
    "dim": 8,
    "size": 32,
    "spacing": (20.0, 5.0, 5.0),
    "heads": 4,
    "feed_forward": 32,
}


class TestCached(EncoderConformance):
    component = SliceTransformerEncoder
    input = INPUT
    sample = CHEST
    settings: ClassVar = SMALL | {"stem": "frozen", "statistics": (-300.0, 700.0), "layers": 2}


class TestTrainableStem(EncoderConformance):
    component = SliceTransformerEncoder
    input = INPUT
    sample = CHEST
    settings: ClassVar = SMALL | {"chunk": 2}


def test_the_transformer_trains_over_a_frozen_backbone() -> None:
    """It starts from nothing, so freezing it would be senseless."""
    encoder = SliceTransformerEncoder(INPUT, **(SMALL | {"stem": "frozen"}))

    trains = {name.split(".")[0] for name, p in encoder.named_parameters() if p.requires_grad}

    assert trains == {"transformer", "project"}


def test_the_order_of_slices_matters() -> None:
    """By default it is told where a slice lies."""
    encoder = SliceTransformerEncoder(
        INPUT, **(SMALL | {"stem": "frozen", "statistics": (-300.0, 700.0)})
    ).eval()
    features = encoder.prepare(CHEST)[None]
    present = torch.ones(1, dtype=torch.bool)

    upwards = encoder(ModalityInput(features, present)).summary
    downwards = encoder(ModalityInput(features.flip(1), present)).summary

    assert not torch.allclose(upwards, downwards, rtol=1e-3)
