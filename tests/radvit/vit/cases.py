"""Small networks and pictures that the tests of the encoder share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from survkit.flow import ModalityInput
from survkit.specs import InputSpec
from survkit_radvit.vit.vit_encoder import VitEncoder

INPUT = InputSpec(kind="image", shape=(1, 24, 32))
SMALL: dict[str, Any] = {
    "backbone": "vit_tiny_patch16_224",
    "patch": 8,
    "dim": 16,
    "depth": 3,
    "heads": 2,
    "weights": None,
    "tune": "all",
}
PATCHES = 12
"""Three rows of four."""


def encoder(seed: int = 0, input: InputSpec = INPUT, **settings: Any) -> VitEncoder:
    """Return a small encoder in eval mode, whose attention is far from uniform."""
    torch.manual_seed(seed)
    built = VitEncoder(input, **(SMALL | settings))
    with torch.no_grad():
        for block in built.network.vit.blocks:
            block.attn.qkv.weight.mul_(12)
        built.network.vit.cls_token.normal_()
        built.network.vit.pos_embed.normal_()
    return built.eval()


def pictures(count: int = 4, seed: int = 1, input: InputSpec = INPUT) -> Tensor:
    """Return random pictures with values between 0 and 1, both of which occur in every one."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(count, *input.shape, generator=generator)
    values[:, 0, 0, 0], values[:, 0, 0, 1] = 0.0, 1.0
    return values


def given(values: Tensor) -> ModalityInput:
    """Return a batch in which everybody has a picture."""
    return ModalityInput(values, torch.ones(len(values), dtype=torch.bool))
