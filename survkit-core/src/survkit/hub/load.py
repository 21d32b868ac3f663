"""Reads a model folder: strictly, without running anything that a file names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from survkit.errors import ConfigError, HubUnavailableError, RunError
from survkit.hub.address import is_on_hub
from survkit.hub.build_budget import BuildBudget
from survkit.hub.build_members import build_members, divide_tensors
from survkit.hub.demonstration_label import warn_of_demonstration
from survkit.hub.description import FORMAT, ModelDescription
from survkit.hub.ensemble_description import ENSEMBLE_FORMAT, EnsembleDescription
from survkit.hub.fetch import fetch
from survkit.hub.fitted_ensemble import FittedEnsemble, Pretrained
from survkit.hub.fitted_model import FittedModel
from survkit.hub.installed import check_installed
from survkit.hub.model_files import CONFIG_FILE, WEIGHTS_FILE, check_file, read_plain_json
from survkit.hub.origin import Origin, read_origin

if TYPE_CHECKING:
    from survkit.registry import Registry

_WRONG_DATA = (KeyError, TypeError, ValueError, AttributeError)


def from_pretrained(
    model: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    registry: Registry | None = None,
) -> Pretrained:
    """Load a model; its curves equal those of the saved model bit for bit.

    What an ensemble of folds was saved as is one again: it has the same ``predict`` and
    ``description``.

    Demonstration weights are loaded with a warning in the log that they are of no use for patients.

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
    folder, source = locate(model, revision, token)
    config = read_config(folder / CONFIG_FILE)
    tensors, sha256 = _read_weights(folder / WEIGHTS_FILE, str(config.get("weights_sha256")))
    budget = BuildBudget(sum(each.nbytes for each in tensors.values()), len(tensors))
    read = _ensemble if config["format"] == ENSEMBLE_FORMAT else _model
    fitted = read(config, tensors, registry, folder, budget)
    warn_of_demonstration(model, fitted.description)
    return replace(fitted, source=source or read_origin(folder, sha256))


def load_model(folder: Path, *, registry: Registry | None = None) -> FittedModel:
    """Load the folder of one model, for what looks inside of its networks.

    Raises:
        RunError: It is an ensemble, or as :func:`from_pretrained`.
        UnknownComponentError: A component is not installed.
    """
    refuse_ensemble(read_config(folder / CONFIG_FILE), folder)
    fitted = from_pretrained(folder, registry=registry)
    assert isinstance(fitted, FittedModel)
    return fitted


def refuse_ensemble(config: Mapping[str, Any], folder: Path) -> None:
    """Refuse what holds several models where the parts of one are wanted.

    Raises:
        RunError: With what to give instead.
    """
    if config.get("format") == ENSEMBLE_FORMAT:
        raise RunError(
            f"{folder}: is an ensemble of models, each of its own fold; one model is needed here: "
            "give a fold of the run that it came from, such as RUN/fold-0, or a refit "
            "(survkit finalize --by refit)"
        )


def _model(
    config: dict[str, Any],
    tensors: dict[str, Tensor],
    registry: Registry,
    folder: Path,
    budget: BuildBudget,
) -> FittedModel:
    try:
        description = ModelDescription.from_json(config)
    except _WRONG_DATA as error:
        raise _damaged(folder, error) from error
    check_installed(description, registry, folder)
    return FittedModel(build_members(description, tensors, registry, folder, budget), description)


def _ensemble(
    config: dict[str, Any],
    tensors: dict[str, Tensor],
    registry: Registry,
    folder: Path,
    budget: BuildBudget,
) -> FittedEnsemble:
    try:
        ensemble = EnsembleDescription.from_json(config)
    except _WRONG_DATA as error:
        raise _damaged(folder, error) from error
    divided = divide_tensors(tensors, "models", len(ensemble.models), folder)
    models = []
    for number, (one, own) in enumerate(zip(ensemble.models, divided, strict=True)):
        check_installed(one, registry, folder)
        above = f"models.{number}."
        members = build_members(one, own, registry, folder, budget, above=above)
        models.append(FittedModel(members, one))
    return FittedEnsemble(tuple(models), ensemble)


def _damaged(folder: Path, error: Exception) -> RunError:
    reason = " ".join(str(error).split())[:300]
    return RunError(
        f"{folder / CONFIG_FILE}: damaged ({type(error).__name__}: {reason}); get the model anew"
    )


def locate(
    model: str | Path, revision: str | None = None, token: str | None = None
) -> tuple[Path, Origin | None]:
    """Return the folder that a path or a name on the Hub means, and which commit it is there.

    Raises:
        ConfigError: A revision of what is a folder.
        HubError: The Hub has no such model or gives it not, or its bytes are not those promised.
        HubUnavailableError: The Hub cannot be reached, and the cache has no such model.
    """
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
    if not isinstance(content, dict) or content.get("format") not in (FORMAT, ENSEMBLE_FORMAT):
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
