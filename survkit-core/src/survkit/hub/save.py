"""Writes a model folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from survkit.atomic_write import write_bytes
from survkit.errors import RunError
from survkit.hub.fitted_ensemble import FittedEnsemble, Pretrained
from survkit.hub.model_files import CONFIG_FILE, WEIGHTS_FILE
from survkit.model import SurvivalModel


def save_pretrained(fitted: Pretrained, folder: str | Path, *, overwrite: bool = False) -> Path:
    """Write ``config.json`` and ``model.safetensors`` into a folder.

    The weights are written first, and the configuration, which names their hash, last: a folder
    with a configuration is complete.

    Args:
        fitted: The model, or the ensemble of several.
        folder: Made if it is not there.
        overwrite: Replace a model that lies there.

    Raises:
        RunError: A model lies there already, or a weight is NaN or infinite.
    """
    from safetensors.torch import save

    folder = Path(folder)
    if (folder / CONFIG_FILE).exists() and not overwrite:
        raise RunError(f"{folder}: a model is there already; choose another folder or overwrite it")
    tensors, described = _content(fitted)
    _refuse_broken(tensors, folder)
    content = save(tensors)
    config = described | {"weights_sha256": hashlib.sha256(content).hexdigest()}
    text = json.dumps(config, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    _check_space(folder, len(content))
    write_bytes(folder / WEIGHTS_FILE, content)
    write_bytes(folder / CONFIG_FILE, text.encode())
    return folder


def _content(fitted: Pretrained) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors by name and what ``config.json`` says of them."""
    if not isinstance(fitted, FittedEnsemble):
        return _tensors(fitted.members), fitted.description.to_json()
    tensors = {
        f"models.{number}.{name}": value
        for number, model in enumerate(fitted.models)
        for name, value in _tensors(model.members).items()
    }
    return tensors, fitted.ensemble.to_json()


def weights_size(members: Sequence[SurvivalModel]) -> int:
    """Return how many bytes ``model.safetensors`` of these networks has."""
    from safetensors.torch import save

    return len(save(_tensors(members)))


def _tensors(members: Sequence[SurvivalModel]) -> dict[str, Tensor]:
    """Return everything stored in the members by name; aliases are written out one by one."""
    return {
        f"members.{number}.{name}": value.detach().cpu().contiguous().clone()
        for number, member in enumerate(members)
        for name, value in member.state_dict().items()
    }


def _refuse_broken(tensors: dict[str, Tensor], folder: Path) -> None:
    broken = [
        name
        for name, value in tensors.items()
        if value.is_floating_point() and bool(value.isnan().any() or value.isinf().any())
    ]
    if broken:
        raise RunError(
            f"{folder}: not saved, because {len(broken)} tensors hold NaN or infinite numbers, "
            f"the first is {broken[0]}; train with a lower learning rate or gradient_clip"
        )


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise RunError(f"{folder}: the model needs {needed} bytes, but {free} are free on the disk")
