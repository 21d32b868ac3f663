"""All weights and buffers of a network in one safetensors file, written in one step."""

from __future__ import annotations

import os
from pathlib import Path

from torch import Tensor, nn

from survkit.errors import RunError


def write_weights(model: nn.Module, path: Path) -> None:
    """Write the state of a network; the old file stays until the new one is complete."""
    write_tensors({name: value.detach().cpu() for name, value in model.state_dict().items()}, path)


def write_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write named tensors; a torn file never appears under the name."""
    from safetensors.torch import save

    # Shared tensors (tied weights) are written out one by one: the format has no aliases.
    content = save({name: value.contiguous().clone() for name, value in tensors.items()})
    replace_file(path, content)


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
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        model.load_state_dict(load_file(path), strict=True, assign=True)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise RunError(f"{path}: not the weights of this model: {error}") from error
