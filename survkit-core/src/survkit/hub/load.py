"""Reads a model folder: strictly, without running anything that a file names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from packaging.version import InvalidVersion, Version
from torch import Tensor

from survkit.build import build_model
from survkit.errors import RunError, UnknownComponentError
from survkit.hub.description import FORMAT, ModelDescription
from survkit.hub.fitted_model import FittedModel
from survkit.hub.save import CONFIG_FILE, WEIGHTS_FILE
from survkit.model import SurvivalModel

if TYPE_CHECKING:
    from survkit.registry import Registry


def from_pretrained(folder: str | Path, *, registry: Registry | None = None) -> FittedModel:
    """Load a model folder; its curves equal those of the saved model bit for bit.

    Args:
        folder: What ``save_pretrained`` wrote, or a run folder of ``survkit fit``.
        registry: Where component names are looked up; a class path in a file is never imported.

    Raises:
        RunError: The folder is incomplete, altered, or does not fit the installed components.
        UnknownComponentError: A component is not installed; the message says what to install.
    """
    folder = Path(folder)
    if registry is None:
        from survkit.plugins import default_registry

        registry = default_registry()
    config = _read_config(folder / CONFIG_FILE)
    tensors = _read_weights(folder / WEIGHTS_FILE, str(config.get("weights_sha256")))
    try:
        description = ModelDescription.from_json(config)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(
            f"{folder / CONFIG_FILE}: damaged ({type(error).__name__}: {error}); get the model anew"
        ) from error
    _check_api(description, folder)
    members = tuple(
        _member(description, number, tensors, registry, folder)
        for number in range(description.members)
    )
    if tensors:
        raise RunError(
            f"{folder / WEIGHTS_FILE}: no part of the model is named {next(iter(tensors))}"
        )
    return FittedModel(members, description)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(
            f"{path.parent}: no {CONFIG_FILE} is there; give the folder of a model or of a run "
            "that has finished"
        ) from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise RunError(f"{path}: not a survkit model (its format is not '{FORMAT}')")
    return content


def _read_weights(path: Path, stated: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != stated:
        raise RunError(
            f"{path}: its sha256 is {found[:12]}…, but {CONFIG_FILE} states {stated[:12]}…; "
            "the file was altered or cut off, get the model anew"
        )
    try:
        tensors: dict[str, Tensor] = load(content)
    except SafetensorError as error:
        raise RunError(f"{path}: not a safetensors file: {error}") from error
    return tensors


def _check_api(description: ModelDescription, folder: Path) -> None:
    from survkit.plugins import API_VERSION

    try:
        newer = Version(description.api_version) > Version(API_VERSION)
    except InvalidVersion as error:
        raise RunError(
            f"{folder}: api_version {description.api_version!r} is no version"
        ) from error
    if newer:
        raise RunError(
            f"{folder}: saved with survkit API {description.api_version}, but {API_VERSION} is "
            "installed; pip install --upgrade survkit-core"
        )


def _member(
    description: ModelDescription,
    number: int,
    tensors: dict[str, Tensor],
    registry: Registry,
    folder: Path,
) -> SurvivalModel:
    """Build one network and take its tensors out of ``tensors``."""
    _check_installed(description, registry, folder)
    with torch.random.fork_rng(devices=[]):  # weights drawn here are replaced below
        model, _ = build_model(description.parts, description.inputs, description.outcome, registry)
    prefix = f"members.{number}."
    own = {name: tensors.pop(name) for name in list(tensors) if name.startswith(prefix)}
    _load_strictly(model, {name.removeprefix(prefix): own[name] for name in own}, folder)
    return model.eval()


def _check_installed(description: ModelDescription, registry: Registry, folder: Path) -> None:
    for role, part in description.parts:
        try:
            registry.find(part.kind, part.name)
        except UnknownComponentError as error:
            provider = description.providers[part.name]
            raise UnknownComponentError(
                f"{folder}: {role} is {part.name} of {provider.distribution} {provider.version}, "
                f"which is not installed; pip install {provider.distribution}"
            ) from error


def _load_strictly(model: SurvivalModel, tensors: Mapping[str, Tensor], folder: Path) -> None:
    """Give the network exactly these tensors, in their precision.

    Raises:
        RunError: Every name that is missing, unexpected or of another shape, and the first tensor
            of another kind of number or with one that is not finite.
    """
    own = model.state_dict()
    for name, value in tensors.items():
        where = f"{folder / WEIGHTS_FILE}: {name}"
        if name in own and own[name].is_floating_point() != value.is_floating_point():
            raise RunError(f"{where} is {value.dtype}, not {own[name].dtype}; get the model anew")
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise RunError(f"{where} holds NaN or infinite numbers; get the model anew")
    try:
        model.load_state_dict(dict(tensors), strict=True, assign=True)
    except RuntimeError as error:
        problems = " ".join(str(error).split()).partition(": ")[2]
        raise RunError(
            f"{folder / WEIGHTS_FILE}: the weights do not fit the components that are installed: "
            f"{problems} Install the versions named in {CONFIG_FILE}"
        ) from error
