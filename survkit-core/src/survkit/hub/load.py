"""Reads a model folder: strictly, without running anything that a file names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from survkit.build import build_model
from survkit.errors import ConfigError, HubUnavailableError, RunError, UserError
from survkit.hub.address import is_on_hub
from survkit.hub.build_budget import BuildBudget, OverBudgetError
from survkit.hub.description import FORMAT, ModelDescription
from survkit.hub.fetch import fetch
from survkit.hub.fitted_model import FittedModel
from survkit.hub.installed import check_installed
from survkit.hub.model_files import CONFIG_FILE, WEIGHTS_FILE, check_file, read_plain_json
from survkit.hub.origin import Origin, read_origin
from survkit.model import SurvivalModel

if TYPE_CHECKING:
    from survkit.registry import Registry


_OF_BUILDING = (TypeError, ValueError, LookupError, ArithmeticError, RuntimeError, MemoryError)
"""What constructors raise where settings of the right type make no sense together."""


def from_pretrained(
    model: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    registry: Registry | None = None,
) -> FittedModel:
    """Load a model; its curves equal those of the saved model bit for bit.

    Args:
        model: A folder that ``save_pretrained`` wrote, or a run folder of ``survkit fit``. A text
            such as ``"org/name"`` that is no folder here is a model on the Hub; its ``source`` is
            then the commit that was fetched. A ``Path`` is always a folder.
        revision: Branch, tag or full name of a commit on the Hub; ``main`` by default.
        token: For the Hub, instead of that of ``HF_TOKEN`` or of ``hf auth login``.
        registry: Where component names are looked up; a class path in a file is never imported.

    Raises:
        RunError: The folder is incomplete, altered, or does not fit the installed components.
        UnknownComponentError: A component is not installed; the message says what to install.
        HubError: The Hub has no such model or gives it not, or its bytes are not those promised.
        HubUnavailableError: The Hub cannot be reached, and the cache has no such model.
    """
    if registry is None:
        from survkit.plugins import default_registry

        registry = default_registry()
    folder, source = _locate(model, revision, token)
    config = read_config(folder / CONFIG_FILE)
    tensors, sha256 = _read_weights(folder / WEIGHTS_FILE, str(config.get("weights_sha256")))
    try:
        description = ModelDescription.from_json(config)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(
            f"{folder / CONFIG_FILE}: damaged ({type(error).__name__}: {error}); get the model anew"
        ) from error
    check_installed(description, registry, folder)
    members = _members(description, tensors, registry, folder)
    return FittedModel(members, description, source or read_origin(folder, sha256))


def _locate(
    model: str | Path, revision: str | None, token: str | None
) -> tuple[Path, Origin | None]:
    if is_on_hub(model):
        try:
            return fetch(str(model), revision=revision, token=token)
        except HubUnavailableError as error:
            raise HubUnavailableError(f"{error} (no folder {model} is here)") from error
    if revision is not None:
        raise ConfigError(
            f"{model}: a revision is of a model on the Hub, ORG/NAME, but this is a folder; leave "
            "the revision out"
        )
    return Path(model), None


def read_config(path: Path, name: str | None = None) -> dict[str, Any]:
    """Return the content of ``config.json``, so far only known to be survkit's.

    Args:
        path: The file.
        name: How a message calls it; the path by default.

    Raises:
        RunError: It is not there, cannot be read, or is another program's.
    """
    try:
        content = read_plain_json(path)
    except FileNotFoundError as error:
        raise RunError(
            f"{path.parent}: no {CONFIG_FILE} is there; give the folder of a model or of a run "
            "that has finished"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise RunError(f"{name or path}: not a survkit model (its format is not '{FORMAT}')")
    return content


def _read_weights(path: Path, stated: str) -> tuple[dict[str, Tensor], str]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        check_file(path)
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from error
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
    return tensors, found


def _members(
    description: ModelDescription, tensors: dict[str, Tensor], registry: Registry, folder: Path
) -> tuple[SurvivalModel, ...]:
    """Build the networks and give each its tensors; every tensor has its place."""
    own: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        member, _, rest = name.removeprefix("members.").partition(".")
        own.setdefault(member, {})[rest] = value
        if not name.startswith("members.") or not _is_number(member, description.members):
            raise RunError(f"{folder / WEIGHTS_FILE}: no part of the model is named {name}")
    if len(own) < description.members:
        raise RunError(
            f"{folder / WEIGHTS_FILE}: has {len(own)} networks, but {CONFIG_FILE} speaks of "
            f"{description.members}; get the model anew"
        )
    budget = BuildBudget(sum(each.nbytes for each in tensors.values()), len(tensors))
    return tuple(
        _member(description, own[str(number)], registry, folder, budget)
        for number in range(description.members)
    )


def _is_number(text: str, members: int) -> bool:
    """Whether it is the number of one of the networks, as it is written when they are saved."""
    return text.isdecimal() and str(int(text)) == text and int(text) < members


def _member(
    description: ModelDescription,
    tensors: Mapping[str, Tensor],
    registry: Registry,
    folder: Path,
    budget: BuildBudget,
) -> SurvivalModel:
    """Build one network; what a stranger's settings make of memory and code is bounded."""
    where = f"{folder / CONFIG_FILE}: no network can be built from it"
    try:
        # Weights drawn here are replaced below.
        with torch.random.fork_rng(devices=[]), budget:
            model, _ = build_model(
                description.parts, description.inputs, description.outcome, registry
            )
    except UserError:
        raise
    except OverBudgetError as error:
        raise RunError(
            f"{where}: its settings ask for {error}, but {WEIGHTS_FILE} holds far less; get the "
            "model from somebody you trust"
        ) from error
    except (
        TypeError,
        ValueError,
        LookupError,
        ArithmeticError,
        RuntimeError,
        MemoryError,
    ) as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        raise RunError(f"{where} ({type(error).__name__}: {reason}); get the model anew") from error
    _load_strictly(model, tensors, folder)
    return model.eval()


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
