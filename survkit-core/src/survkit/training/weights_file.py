"""All weights and buffers of a network between two epochs, in a file written in one step."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import torch
from torch import nn

from survkit.errors import RunError


def write_weights(model: nn.Module, path: Path) -> None:
    """Write the state of a network; the old file stays until the new one is complete."""
    content = io.BytesIO()
    torch.save({name: value.detach().cpu() for name, value in model.state_dict().items()}, content)
    replace_file(path, content.getvalue())


def replace_file(path: Path, content: bytes) -> None:
    """Write bytes under a temporary name, wait until they are on the disk, and rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
