"""A narrow vq3d and made-up subjects."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from survkit.flow import ModalityInput
from survkit.specs import InputSpec
from survkit_robsurv.vq3d.vq3d_encoder import VQ3DEncoder

SMALL: dict[str, Any] = {"width": 0.0625, "codebook_size": 16}


def volume(*size: int, channels: int = 1) -> InputSpec:
    return InputSpec(kind="volume", shape=(channels, *size))


def subjects(encoder: VQ3DEncoder, count: int = 2, *, seed: int = 0) -> ModalityInput:
    """Return made-up subjects that the encoder can reconstruct."""
    generator = torch.Generator().manual_seed(seed)
    rows = [encoder.prepared_example(generator=generator) for _ in range(count)]
    return everybody(torch.stack(rows))


def everybody(values: Tensor) -> ModalityInput:
    """Return a batch of subjects who all have the modality."""
    return ModalityInput(values, torch.ones(len(values), dtype=torch.bool))


def built(*size: int, **settings: Any) -> VQ3DEncoder:
    torch.manual_seed(0)
    return VQ3DEncoder(volume(*size or (16, 16, 16)), **(SMALL | settings))
