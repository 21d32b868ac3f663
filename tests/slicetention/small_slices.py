"""Small encoders of the slices of phantoms."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from survkit.flow import ModalityInput
from survkit.phantom import PhantomConfig, generate_phantom
from survkit.protocols import Sample
from survkit.specs import InputSpec
from survkit_slicetention.slices import SlicesEncoder

SIZE = 16
INPUT = InputSpec(kind="volume", shape=(1, SIZE, SIZE, SIZE))
PHANTOM = generate_phantom(PhantomConfig(subjects=6, size=SIZE, modalities=("ct",)))
SMALL: dict[str, Any] = {
    "backbone": "mobilenetv3_small_050",
    "weights": None,
    "dim": 8,
    "size": 32,
    "spacing": (20.0, 10.0, 10.0),
}
CACHED = SMALL | {"stem": "frozen", "statistics": (-300.0, 700.0)}


def sample(subject: int = 0) -> Sample:
    values = torch.from_numpy(PHANTOM.images(subject).ct)[None]
    return Sample(values=values, spacing=(320 / SIZE,) * 3, source=f"phantom {subject}")


def encoder(seed: int = 0, **settings: Any) -> SlicesEncoder:
    torch.manual_seed(seed)
    return SlicesEncoder(INPUT, **(CACHED | settings)).eval()


def padded(stacks: list[Tensor]) -> ModalityInput:
    """Return subjects with as many tokens as the longest."""
    values = torch.nn.utils.rnn.pad_sequence(stacks, batch_first=True)
    counts = torch.tensor([len(each) for each in stacks])
    mask = torch.arange(values.shape[1]) < counts[:, None]
    return ModalityInput(values, torch.ones(len(stacks), dtype=torch.bool), mask)
