"""Weights that a network starts from: files of tensors, and what the cache of the Hub holds.

Nothing here waits for a network that is not there: what the cache holds is read without asking
anybody, and one short connection decides whether a download is worth trying.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError, DataError

PRETRAINED = "pretrained"
"""Instead of a path: what the library of the backbone names for it."""
SECONDS = 3.0
"""How long a server may take to answer before it counts as out of reach."""
SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")

_HUB_FILES = ("model.safetensors", "pytorch_model.bin")
State = dict[str, Tensor]


def file_state(path: Path) -> State:
    """Return the state dict that a file holds, also one under ``state_dict`` or ``model``; nothing
    but tensors is ever unpickled.

    Raises:
        ConfigError: Not the name of such a file.
        DataError: There is none, or it holds something else.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigError(
            f"weights is {PRETRAINED!r}, null (random), or a file {', '.join(SUFFIXES)} with a "
            f"state dict, not {str(path)!r}"
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
    if isinstance(state, dict):
        state = next((state[key] for key in ("state_dict", "model") if key in state), state)
    if not isinstance(state, dict) or not all(isinstance(each, Tensor) for each in state.values()):
        raise DataError(f"weights: {path} does not hold a state dict (names of tensors to tensors)")
    return cast(State, state)


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Load a state dict that has every tensor of the network and no other.

    Raises:
        DataError: A key is missing, unknown or of another shape; the message lists them.
    """
    own = network.state_dict()
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


def hub_files(known: Mapping[str, Any]) -> tuple[str, str | None, list[str]]:
    """Return repository, revision and names of the file that hold a network's weights on the Hub.

    Args:
        known: timm's ``pretrained_cfg`` of the network, which has a ``hf_hub_id``.
    """
    repository, _, revision = str(known["hf_hub_id"]).partition("@")
    file = known.get("hf_hub_filename")
    return repository, revision or None, [str(file)] if file else list(_HUB_FILES)


def cached_on_hub(known: Mapping[str, Any]) -> Path | None:
    """Return the file of such weights in the cache of the Hub, if it is there."""
    from huggingface_hub import try_to_load_from_cache

    repository, revision, files = hub_files(known)
    for file in files:
        found = try_to_load_from_cache(repository, file, revision=revision)
        if isinstance(found, str):
            return Path(found)
    return None


def check_reachable(url: str, name: str, *, cure: str) -> None:
    """Refuse at once where a download would only be retried for a minute.

    Args:
        url: Of the server.
        name: Of the backbone, for the message.
        cure: What to do without a connection, for the message.

    Raises:
        DataError: The server is out of reach, or nobody is to be asked.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise out_of_reach(name, url, "HF_HUB_OFFLINE is set", cure=cure)
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    target = urlsplit(proxy if proxy and "://" in proxy else f"http://{proxy}") if proxy else parts
    port = target.port or {"https": 443}.get(target.scheme, 80)
    try:
        socket.create_connection((target.hostname or "", port), timeout=SECONDS).close()
    except OSError as error:
        raise out_of_reach(name, url, str(error), cure=cure) from error


def out_of_reach(name: str, url: str, reason: str, *, cure: str) -> DataError:
    """Return the error that says where weights were looked for, and what to do."""
    return DataError(
        f"the weights of {name!r} are not in the cache and {url} is out of reach ({reason}): run "
        "once with a connection (they stay in the cache), give a file with weights: PATH, or "
        f"{cure}"
    )


def hub_address() -> str:
    """Return the address of the Hub."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def _few(keys: list[str]) -> str:
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return ", ".join(keys[:5]) + more
