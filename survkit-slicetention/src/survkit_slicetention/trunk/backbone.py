"""A 2-D network by name, without its classifier and with a stem for one grey channel."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError, DataError
from survkit_slicetention.trunk.torchvision_backbone import PREFIX as TORCHVISION
from survkit_slicetention.trunk.torchvision_backbone import torchvision_network

FOLDERS = ("hf-hub:", "hf_hub:", "local-dir:")
"""Prefixes by which timm reads the architecture from a repository or a folder."""


def build_backbone(name: str, *, size: int) -> tuple[nn.Module, int]:
    """Return the network, randomly initialised, and the width of the vector that it gives a slice.

    Args:
        name: A name of timm, with or without the tag of its weights; ``hf-hub:owner/name`` and
            ``local-dir:folder`` as timm reads them; or ``torchvision:name``.
        size: Rows and columns of a slice.

    Raises:
        ConfigError: There is no such network, or it cannot take slices of that size.
        DataError: A repository or folder cannot be read.
    """
    if name.startswith(TORCHVISION):
        network = torchvision_network(name.removeprefix(TORCHVISION))
    else:
        network = timm_network(name, size=size)
    return network, _feature_width(network, name, size)


def timm_network(name: str, *, size: int, **options: Any) -> nn.Module:
    """Return a network of timm for one channel, without classifier.

    Networks with a fixed input size, such as vision transformers, are built for ``size``.
    """
    import timm

    if not name.startswith(FOLDERS):
        _check_name(name)
    try:
        network: nn.Module = timm.create_model(name, in_chans=1, num_classes=0, **options)
        known = getattr(network, "pretrained_cfg", None) or {}
        if known.get("fixed_input_size") and tuple(known["input_size"][-2:]) != (size, size):
            network = timm.create_model(name, in_chans=1, num_classes=0, img_size=size, **options)
    except (RuntimeError, ValueError, AssertionError, TypeError) as error:
        raise ConfigError(f"backbone {name!r} cannot be built by timm: {_line(error)}") from error
    except OSError as error:
        raise DataError(
            f"the description of backbone {name!r} is neither at hand nor within reach "
            f"({_line(error)}); download it once with a connection, or name a folder: "
            "local-dir:FOLDER"
        ) from error
    return network


def architecture_of(name: str, network: nn.Module, *, size: int) -> str | None:
    """Return the name in timm of a network that a folder of this machine describes.

    ``None`` where it is described otherwise, or where the folder's own arguments make another
    network of that name, so that nobody without the folder could build it.

    Args:
        name: As :func:`build_backbone` takes it.
        network: What it built.
        size: Rows and columns of a slice.
    """
    if not name.startswith("local-dir:"):
        return None
    described = json.loads((Path(name.removeprefix("local-dir:")) / "config.json").read_text())
    architecture = str(described["architecture"])
    try:
        named = timm_network(architecture, size=size).state_dict()
    except ConfigError:
        return None
    own = {key: value.shape for key, value in network.state_dict().items()}
    alike = not described.get("model_args") and own == {k: v.shape for k, v in named.items()}
    return architecture if alike else None


def _check_name(name: str) -> None:
    import timm

    base, _, tag = name.partition(".")
    if not timm.is_model(base):
        raise ConfigError(
            f"timm has no backbone {base!r}. {_close(base, timm.list_models())}"
            "For torchvision's write torchvision:NAME"
        )
    tags = [each.partition(".")[2] for each in timm.list_models(f"{base}.*", pretrained=True)]
    if tag and tag not in tags:
        raise ConfigError(
            f"timm has no weights {tag!r} for {base!r}; it has {', '.join(tags) or 'none'}"
        )


def _close(name: str, known: list[str]) -> str:
    matches = get_close_matches(name, known, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(map(repr, matches))}? " if matches else ""


def _feature_width(network: nn.Module, name: str, size: int) -> int:
    """Return the width of what the network gives one slice, measured."""
    network.eval()
    try:
        with torch.no_grad():
            features: Tensor = network(torch.zeros(1, 1, size, size))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ConfigError(
            f"backbone {name!r} fails on a slice of {size} x {size}: {_line(error)}; "
            "set size to what it takes"
        ) from error
    if features.ndim != 2:
        raise ConfigError(
            f"backbone {name!r} gives {tuple(features.shape)} for one slice, not one vector"
        )
    return features.shape[1]


def _line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
