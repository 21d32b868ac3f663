"""Weights that a backbone starts from: published ones, or a file.

What the caches hold is read without asking anybody.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import nn

from survkit.errors import ConfigError, DataError
from survkit.published_weights import (
    PRETRAINED,
    State,
    cached_on_hub,
    check_reachable,
    file_state,
    hub_address,
    load_strictly,
    out_of_reach,
)
from survkit_slicetention.trunk.backbone import FOLDERS, timm_network
from survkit_slicetention.trunk.torchvision_backbone import PREFIX as TORCHVISION
from survkit_slicetention.trunk.torchvision_backbone import classifier, grey_weight


def load_backbone_weights(network: nn.Module, name: str, weights: str, *, size: int) -> None:
    """Put weights into a backbone for one grey channel; RGB kernels of the stem are summed.

    Args:
        network: As :func:`survkit_slicetention.trunk.backbone.build_backbone` gives it.
        name: Its name.
        weights: ``"pretrained"``, or the path of a state dict (.safetensors, .pth, .pt, .bin).
        size: Rows and columns of a slice.

    Raises:
        DataError: They are neither at hand nor within reach, or are another network's.
    """
    if weights != PRETRAINED:
        state, source = file_state(Path(weights)), weights
    elif name.startswith(TORCHVISION):
        state, source = _torchvision_state(name.removeprefix(TORCHVISION)), f"weights of {name}"
    else:
        state, source = _timm_state(name, size), f"weights of {name}"
    load_backbone_state(network, state, source)


def load_backbone_state(network: nn.Module, state: State, source: str) -> None:
    """Load a state dict; only the classifier, which the backbone has not, may be left over.

    Raises:
        DataError: A key is missing, unknown or of another shape; the message lists them.
    """
    own = network.state_dict()
    known = getattr(network, "pretrained_cfg", None) or {}
    names = known.get("classifier") or ()
    heads = tuple(f"{each}." for each in ([names] if isinstance(names, str) else names))
    state = {key: value for key, value in state.items() if key in own or not key.startswith(heads)}
    for key, value in state.items():
        if key in own and value.ndim == own[key].ndim == 4 and value.shape[1] == 3:
            state[key] = grey_weight(value) if own[key].shape[1] == 1 else value
    load_strictly(network, state, source)


def _timm_state(name: str, size: int) -> State:
    """Return what timm publishes for a name, its stem already summed to one channel."""
    known = getattr(timm_network(name, size=size), "pretrained_cfg", None) or {}
    options: dict[str, Any] = {"pretrained": True}
    if not name.startswith("local-dir:"):
        if not (known.get("hf_hub_id") or known.get("url") or known.get("file")):
            raise DataError(f"timm publishes no weights for {name!r}; use weights: null or a file")
        cached = _cached(known)
        if cached is not None:
            options["pretrained_cfg_overlay"] = {"file": str(cached)}
        elif not known.get("file"):
            address = hub_address() if known.get("hf_hub_id") else str(known["url"])
            check_reachable(address, name, cure=_cure(name))
    try:
        network = timm_network(name, size=size, **options)
    except (DataError, ConfigError) as error:
        raise DataError(f"the weights of {name!r} cannot be read: {error}") from error
    return network.state_dict()


def _cached(known: dict[str, Any]) -> Path | None:
    """Return the file of the weights in the cache of the Hub or of torch, if it is there."""
    if known.get("hf_hub_id"):
        return cached_on_hub(known)
    return _torch_cache(str(known["url"])) if known.get("url") else None


def _torch_cache(url: str) -> Path | None:
    path = Path(torch.hub.get_dir(), "checkpoints", Path(urlsplit(url).path).name)
    return path if path.is_file() else None


def _torchvision_state(name: str) -> State:
    models: Any = import_module("torchvision.models")
    url = models.get_model_weights(name).DEFAULT.url
    path = _torch_cache(url)
    if path is None:
        full_name = f"{TORCHVISION}{name}"
        check_reachable(url, full_name, cure=_cure(full_name))
        try:
            state: State = torch.hub.load_state_dict_from_url(
                url, map_location="cpu", progress=False, weights_only=True
            )
        except OSError as error:
            raise out_of_reach(full_name, url, str(error), cure=_cure(full_name)) from error
    else:
        state = file_state(path)
    full = classifier(name).state_dict()
    last = [key for key in full if key.endswith(".weight")][-1].removesuffix(".weight")
    return {key: value for key, value in state.items() if not key.startswith(f"{last}.")}


def _cure(name: str) -> str:
    cure = "start from random numbers with weights: null"
    if not name.startswith((TORCHVISION, *FOLDERS)):
        cure += "; backbone: local-dir:FOLDER reads a folder that timm saved"
    return cure
