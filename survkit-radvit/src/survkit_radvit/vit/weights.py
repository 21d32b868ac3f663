"""Weights that the network starts from: those that timm names, or a file.

Positions are resampled to the picture's grid and kernels to its patches as timm does it. Nothing
here waits for a server that is not there: what the cache holds is read without asking anybody.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError, DataError

PRETRAINED = "pretrained"
"""Instead of a path: what timm names for the backbone."""
SECONDS = 3.0
"""How long a server may take to answer before it counts as out of reach."""
SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")

_HUB_FILES = ("model.safetensors", "pytorch_model.bin")
State = dict[str, Tensor]


def load_vit_weights(network: nn.Module, backbone: str, weights: str) -> None:
    """Put weights into a network, all of it but the classifier, which it has not.

    Args:
        network: As :func:`survkit_radvit.vit.backbone.build_vit` gives it.
        backbone: Its name in timm.
        weights: ``"pretrained"``, or the path of a state dict of timm's names.

    Raises:
        ConfigError: Not the name of such a file.
        DataError: They are neither at hand nor within reach, or are another network's.
    """
    if weights == PRETRAINED:
        source, path = f"the weights of {backbone!r}", published_file(network, backbone)
    else:
        source, path = f"weights: {weights}", Path(weights)
        if path.suffix not in SUFFIXES:
            raise ConfigError(
                f"weights is {PRETRAINED!r}, null (random), or a file {', '.join(SUFFIXES)} with a "
                f"state dict, not {weights!r}"
            )
        if not path.is_file():
            raise DataError(f"weights: there is no file {path}")
    load_strictly(network, _fitted(file_state(path), network, backbone, source), source)


def file_state(path: Path) -> State:
    """Return the state dict that a file holds; nothing but tensors is ever unpickled.

    Raises:
        DataError: It holds something else.
    """
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
    if isinstance(state, dict):
        state = next((state[key] for key in ("state_dict", "model") if key in state), state)
    if not isinstance(state, dict) or not all(isinstance(each, Tensor) for each in state.values()):
        raise DataError(f"weights: {path} does not hold a state dict (names of tensors to tensors)")
    return cast(State, state)


def load_strictly(network: nn.Module, state: State, source: str) -> None:
    """Load a state dict; only the classifier may be left over.

    Raises:
        DataError: A key is missing, unknown or of another shape; the message lists them.
    """
    own = network.state_dict()
    state = {key: value for key, value in state.items() if not key.startswith(("head.", "head_"))}
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


def published_file(network: nn.Module, backbone: str) -> Path:
    """Return the file of the weights that timm names, from the cache or by a download.

    Raises:
        DataError: timm names none, or they are not within reach.
    """
    from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache

    known = getattr(network, "pretrained_cfg", None) or {}
    if not known.get("hf_hub_id"):
        raise DataError(f"timm publishes no weights for {backbone!r}; use weights: null or a file")
    repository, _, revision = str(known["hf_hub_id"]).partition("@")
    files = [known["hf_hub_filename"]] if known.get("hf_hub_filename") else list(_HUB_FILES)
    for file in files:
        found = try_to_load_from_cache(repository, file, revision=revision or None)
        if isinstance(found, str):
            return Path(found)
    address = str(constants.ENDPOINT)
    if constants.HF_HUB_OFFLINE:
        raise DataError(_out_of_reach(backbone, address, "HF_HUB_OFFLINE is set"))
    _check_reachable(address, backbone)
    try:
        return Path(hf_hub_download(repository, files[0], revision=revision or None))
    except Exception as error:  # the Hub's client, its transport and the disk each have their own
        raise DataError(_out_of_reach(backbone, address, _line(error))) from error


def _fitted(state: State, network: nn.Module, backbone: str, source: str) -> State:
    """Return the state as timm itself fits it to the grid and the patches of the network."""
    from timm.models.vision_transformer import checkpoint_filter_fn

    # what timm does for its models that were trained with patches of many sizes
    plain: dict[str, Any] = {"interpolation": "bilinear", "antialias": False}
    try:
        fitted: State = checkpoint_filter_fn(
            dict(state), cast(Any, network), **(plain if "flexi" in backbone else {})
        )
    except (RuntimeError, ValueError, KeyError, AssertionError) as error:
        raise DataError(
            f"{source} cannot be fitted to backbone {backbone!r}: {_line(error)}; name the "
            "backbone that they belong to"
        ) from error
    return fitted


def _check_reachable(url: str, name: str) -> None:
    """Refuse at once where a download would only be retried for a minute."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    target = urlsplit(proxy if proxy and "://" in proxy else f"http://{proxy}") if proxy else parts
    port = target.port or {"https": 443}.get(target.scheme, 80)
    try:
        socket.create_connection((target.hostname or "", port), timeout=SECONDS).close()
    except OSError as error:
        raise DataError(_out_of_reach(name, url, str(error))) from error


def _out_of_reach(name: str, url: str, reason: str) -> str:
    return (
        f"the weights of {name!r} are not in the cache and {url} is out of reach ({reason}): run "
        "once with a connection (they stay in the cache), give a file with weights: PATH, or start "
        "from random numbers with weights: null and tune: all"
    )


def _few(keys: list[str]) -> str:
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return ", ".join(keys[:5]) + more


def _line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
