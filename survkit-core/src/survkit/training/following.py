"""Modules whose state follows training without gradients, moved once after every step.

What a step's micro-batches leave in such a module is counted once, however often they are run:
the first of two passes puts the buffers of trainable parts back (:mod:`survkit.training.buffers`),
and a frozen encoder, whose buffers are not put back, is run in the first pass only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from survkit.protocols import FollowsTraining
from survkit.training.random_state import seed_everything

AFTER_STEP = 2**32 - 1
"""Stands in the seed where a step has its rank, and is none: all ranks draw the same here."""


def followers(model: nn.Module) -> tuple[nn.Module, ...]:
    """Return the modules at any depth, each once, that have such a state."""
    return tuple(one for one in model.modules() if isinstance(one, FollowsTraining))


def move(modules: Sequence[nn.Module], *step: int) -> None:
    """Let those in training mode move their state; one kept in eval mode has seen nothing.

    Args:
        modules: In an order that is the same on every rank.
        step: Numbers that together name the step: (seed, …, epoch, step).
    """
    moving = [one for one in modules if one.training]
    if not moving:
        return
    seed_everything(*step, AFTER_STEP)
    with torch.no_grad():
        for one in moving:
            cast(FollowsTraining, one).after_step()
