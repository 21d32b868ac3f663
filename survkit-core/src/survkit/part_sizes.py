"""How many parameters each part of a network has, and how many of them are trained."""

from __future__ import annotations

from typing import TypedDict

from torch import nn

from survkit.model import SurvivalModel


class PartSize(TypedDict):
    """Numbers of single values, not of tensors."""

    parameters: int
    trainable: int


def part_sizes(model: SurvivalModel) -> dict[str, PartSize]:
    """Return the sizes by role: ``encoders.ct``, ``fusion``, ``head``."""
    roles = [*(f"encoders.{name}" for name in model.encoders), "fusion", "head"]
    return {role: part_size(model.get_submodule(role)) for role in roles}


def part_size(part: nn.Module) -> PartSize:
    """Return the size of one part; parameters that are used twice count once.

    Buffers (running statistics, scalings, codebooks that follow a mean) are none.
    """
    own = list(part.parameters())
    return {
        "parameters": sum(one.numel() for one in own),
        "trainable": sum(one.numel() for one in own if one.requires_grad),
    }
