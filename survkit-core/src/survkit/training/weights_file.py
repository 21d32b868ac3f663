"""All weights and buffers of a network between two epochs, in a file written in one step."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import torch
from torch import nn

from survkit.atomic_write import write_bytes
from survkit.errors import RunError


def write_weights(model: nn.Module, path: Path) -> None:
    """Write the state of a network; the old file stays until the new one is complete."""
    content = io.BytesIO()
    torch.save({name: value.detach().cpu() for name, value in model.state_dict().items()}, content)
    write_bytes(path, content.getvalue())


def read_weights(model: nn.Module, path: Path) -> None:
    """Load what :func:`write_weights` wrote into a network of the same composition.

    Raises:
        RunError: The file is missing or belongs to another network.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(state, strict=True, assign=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise RunError(f"{path}: not the weights of this model: {error}") from error
