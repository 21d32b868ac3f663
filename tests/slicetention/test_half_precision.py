"""Under bf16-mixed, as GPUs train, everything runs and every trainable weight gets a gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from survkit.flow import ModalityInput, projected
from survkit.specs import InputSpec
from survkit_slicetention.class_token import ClassTokenFusion
from survkit_slicetention.slice_transformer import SliceTransformerEncoder
from survkit_slicetention.slices import SlicesEncoder
from survkit_slicetention.soft_attention import SoftAttention

INPUT = InputSpec(kind="volume", shape=(1, 16, 16, 16))
FIXED: dict[str, Any] = {"weights": None, "dim": 8, "size": 32, "statistics": (-300.0, 700.0)}


def slices(**settings: Any) -> SlicesEncoder:
    return SlicesEncoder(INPUT, backbone="mobilenetv3_small_050", **FIXED, **settings)


def transformer() -> SliceTransformerEncoder:
    return SliceTransformerEncoder(INPUT, backbone="vit_tiny_patch16_224", heads=3, **FIXED)


@pytest.mark.parametrize(
    "build",
    [
        lambda: slices(stem="frozen", standardise=True, views=1),
        lambda: slices(chunk=2),
        lambda: slices(freeze="half", chunk=2),
        transformer,
    ],
)
@pytest.mark.parametrize("fusion", [SoftAttention, ClassTokenFusion])
def test_a_step_in_bfloat16(build: Any, fusion: Any) -> None:
    """Finite embeddings and gradients, padding among the slices."""
    encoder = build().train()
    generator = torch.Generator().manual_seed(0)
    values = torch.stack([encoder.prepared_example(generator=generator) for _ in range(3)])
    mask = torch.arange(values.shape[1]) < torch.tensor([3, 1, 2])[:, None]
    batch = ModalityInput(values, torch.ones(3, dtype=torch.bool), mask)
    encoder.fit_batches([batch])
    pool = fusion({"ct": encoder.encoding})

    with torch.autocast("cpu", torch.bfloat16):
        encoding = encoder(batch)
        encoding = encoding if getattr(pool, "reads_unprojected", False) else projected(encoding)
        embedding = pool({"ct": encoding}).embedding.float()
    (embedding.square().sum() + encoding.summary.float().sum()).backward()

    assert bool(embedding.isfinite().all())
    for name, parameter in encoder.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert bool(parameter.grad.isfinite().all()), name
