"""Weights that a backbone starts from: published ones, or a file.

Nothing here waits for a network that is not there: what the caches hold is read without asking
anybody, and where they lack it one short connection decides whether a download is worth trying.
"""

from __future__ import annotations

import socket
from importlib import import_module
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError, DataError
from survkit_slicetention.trunk.backbone import FOLDERS, timm_network
from survkit_slicetention.trunk.torchvision_backbone import PREFIX as TORCHVISION
from survkit_slicetention.trunk.torchvision_backbone import classifier, grey_weight

PRETRAINED = "pretrained"
"""Instead of a path: what timm or torchvision names for the backbone."""
SECONDS = 3.0
"""How long a server may take to answer before it counts as out of reach."""

_HUB_FILES = ("model.safetensors", "pytorch_model.bin")
State = dict[str, Tensor]


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
    load_strictly(network, state, source)


def load_strictly(network: nn.Module, state: State, source: str) -> None:
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
    faults = {
        "missing": sorted(own.keys() - state.keys()),
        "unknown": sorted(state.keys() - own.keys()),
        "of another shape": [
            f"{key} {tuple(state[key].shape)} instead of {tuple(value.shape)}"
            for key, value in own.items()
            if key in state and state[key].shape != value.shape
        ],
    }
    said = [f"{len(keys)} {kind}: {_few(keys)}" for kind, keys in faults.items() if keys]
    if said:
        raise DataError(
            f"{source} are not those of this backbone; {'; '.join(said)}; name the backbone that "
            "they belong to"
        )
    network.load_state_dict(state, strict=True)


def _few(keys: list[str]) -> str:
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return ", ".join(keys[:5]) + more


def file_state(path: Path) -> State:
    """Return the state dict that a file holds; nothing but tensors is ever unpickled.

    Raises:
        ConfigError: Not the name of such a file.
        DataError: There is none, or it holds something else.
    """
    if path.suffix not in (".safetensors", ".pth", ".pt", ".bin"):
        raise ConfigError(
            f"weights is {PRETRAINED!r}, null (random), or a file .safetensors, .pth, .pt or .bin "
            f"with a state dict, not {str(path)!r}"
        )
    if not path.is_file():
        raise DataError(f"weights: there is no file {path}")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(path, device="cpu")
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and safetensors each have errors of their own
        raise DataError(
            f"weights: {path} is damaged, or holds code or objects other than tensors, which are "
            "never run; give a state dict, best as .safetensors"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(each, Tensor) for each in state.values()):
        raise DataError(f"weights: {path} does not hold a state dict (names of tensors to tensors)")
    return cast(State, state)


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
            _check_reachable(_hub() if known.get("hf_hub_id") else str(known["url"]), name)
    try:
        network = timm_network(name, size=size, **options)
    except (DataError, ConfigError) as error:
        raise DataError(f"the weights of {name!r} cannot be read: {error}") from error
    return network.state_dict()


def _cached(known: dict[str, Any]) -> Path | None:
    """Return the file of the weights in the cache of the Hub or of torch, if it is there."""
    if known.get("hf_hub_id"):
        from huggingface_hub import try_to_load_from_cache

        repository, _, revision = str(known["hf_hub_id"]).partition("@")
        files = [known["hf_hub_filename"]] if known.get("hf_hub_filename") else _HUB_FILES
        for file in files:
            found = try_to_load_from_cache(repository, file, revision=revision or None)
            if isinstance(found, str):
                return Path(found)
        return None
    return _torch_cache(str(known["url"])) if known.get("url") else None


def _torch_cache(url: str) -> Path | None:
    path = Path(torch.hub.get_dir(), "checkpoints", Path(urlsplit(url).path).name)
    return path if path.is_file() else None


def _torchvision_state(name: str) -> State:
    models: Any = import_module("torchvision.models")
    url = models.get_model_weights(name).DEFAULT.url
    path = _torch_cache(url)
    if path is None:
        _check_reachable(url, f"{TORCHVISION}{name}")
        try:
            state: State = torch.hub.load_state_dict_from_url(
                url, map_location="cpu", progress=False, weights_only=True
            )
        except OSError as error:
            raise DataError(_out_of_reach(f"{TORCHVISION}{name}", url, str(error))) from error
    else:
        state = file_state(path)
    full = classifier(name).state_dict()
    last = [key for key in full if key.endswith(".weight")][-1].removesuffix(".weight")
    return {key: value for key, value in state.items() if not key.startswith(f"{last}.")}


def _hub() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def _check_reachable(url: str, name: str) -> None:
    """Refuse at once where a download would only be retried for a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise DataError(_out_of_reach(name, url, "HF_HUB_OFFLINE is set"))
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    target = urlsplit(proxy if proxy and "://" in proxy else f"http://{proxy}") if proxy else parts
    port = target.port or {"https": 443}.get(target.scheme, 80)
    try:
        socket.create_connection((target.hostname or "", port), timeout=SECONDS).close()
    except OSError as error:
        raise DataError(_out_of_reach(name, url, str(error))) from error


def _out_of_reach(name: str, url: str, reason: str) -> str:
    cure = (
        "run once with a connection (they stay in the cache), give a file with weights: PATH, "
        "or start from random numbers with weights: null"
    )
    if not name.startswith((TORCHVISION, *FOLDERS)):
        cure += "; backbone: local-dir:FOLDER reads a folder that timm saved"
    return (
        f"the weights of {name!r} are not in the cache and {url} is out of reach ({reason}): {cure}"
    )
