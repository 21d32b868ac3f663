"""A narrow dual-patch-fuse and made-up encodings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from survkit.flow import Encoding
from survkit.specs import EncodingSpec
from survkit.testing import random_encodings
from survkit_robsurv.dual_patch_fuse import DualPatchFuse

SPECS = {
    "ct": EncodingSpec(dim=6, tokens=32, grid=(4, 4, 2), has_continuous=True),
    "pet": EncodingSpec(dim=4, tokens=32, grid=(4, 4, 2)),
}


SMALL: dict[str, Any] = {
    "dim": 8,
    "heads": 2,
    "head_dim": 3,
    "continuous_dim": 7,
    "reduction": 2,
    "kernel": 3,
    "layer_heads": 2,
    "feed_forward": 16,
    "out_dim": 16,
}


def built(specs: Mapping[str, EncodingSpec] = SPECS, **settings: Any) -> DualPatchFuse:
    torch.manual_seed(0)
    return DualPatchFuse(specs, **(SMALL | settings)).double().eval()


def batch(subjects: int = 4, present: torch.Tensor | None = None) -> dict[str, Encoding]:
    return random_encodings(SPECS, subjects, present=present, dtype=torch.float64)
