"""The compared fusions at a size for tests, and encodings for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec
from survkit_robsurv.compared.joint_segmentation import JointSegmentation
from survkit_robsurv.compared.merging_diverging import MergingDiverging
from survkit_robsurv.compared.patch_transformer import PatchTransformer
from survkit_robsurv.compared.voxels import VoxelsEncoder, VoxelSpec

SIZE, PATCH = 8, 4
VOLUME = InputSpec(kind="volume", shape=(1, SIZE, SIZE, SIZE))
VOXELS = VoxelSpec(dim=PATCH**3, tokens=8, grid=(2, 2, 2), patch=PATCH)
IMAGES: Mapping[str, EncodingSpec] = {"ct": VOXELS, "pet": VOXELS}
ALL: Mapping[str, EncodingSpec] = {
    "ct": VOXELS,
    "pet": VOXELS,
    "gtv": VOXELS,
    "clinical": EncodingSpec(dim=3),
}

SMALL: dict[Any, dict[str, Any]] = {
    JointSegmentation: {
        "channels": (4, 8),
        "dense_layers": (2, 1),
        "growth": 4,
        "features": 4,
        "dropout": 0.0,
    },
    MergingDiverging: {
        "channels": (4, 8, 8),
        "self_levels": 1,
        "cross_levels": 1,
        "heads": 2,
        "window": 2,
        "dropout": 0.0,
    },
    PatchTransformer: {
        "dim": 16,
        "layers": 2,
        "heads": 2,
        "feed_forward": 16,
        "dropout": 0.0,
        "decoder_channels": 4,
    },
}
"""Settings by class."""
UNMASKED: dict[Any, dict[str, Any]] = {each: {**own, "target": None} for each, own in SMALL.items()}
"""The same where there is no mask to learn from."""


def built(fusion: Any, specs: Mapping[str, EncodingSpec] = ALL, **changes: Any) -> Any:
    torch.manual_seed(0)
    return fusion(specs, **(SMALL[fusion] | changes)).double().eval()


def subjects(
    count: int = 4, *, seed: int = 0, names: tuple[str, ...] = tuple(ALL)
) -> dict[str, Encoding]:
    """Return images of noise with a bright cube, whose mask is ``gtv``."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(count, SIZE, SIZE, SIZE, dtype=torch.float64)
    for row in range(count):
        z, y, x = torch.randint(0, SIZE - 3, (3,), generator=generator).tolist()
        mask[row, z : z + 3, y : y + 3, x : x + 3] = 1 + row % 2
    given: dict[str, Encoding] = {}
    for name in names:
        if name == "clinical":
            values = torch.randn(count, 3, generator=generator, dtype=torch.float64)
            given[name] = Encoding(values[:, None], values, torch.ones(count, dtype=torch.bool))
            continue
        noise = torch.randn(mask.shape, generator=generator, dtype=torch.float64)
        given[name] = encoded(mask if name == "gtv" else noise + 3 * (mask > 0))
    return given


def encoded(volume: Tensor) -> Encoding:
    """Return volumes (batch, z, y, x) as the encoder gives them."""
    present = torch.ones(len(volume), dtype=torch.bool)
    encoder = VoxelsEncoder(VOLUME, patch=PATCH)
    encoding: Encoding = encoder(ModalityInput(volume[:, None], present))
    return encoding
