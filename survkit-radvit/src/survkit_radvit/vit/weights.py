"""Weights that the Vision Transformer starts from: those that timm names, or a file.

Positions are resampled to the picture's grid and kernels to its patches as timm does it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from torch import nn

from survkit.errors import DataError
from survkit.published_weights import (
    PRETRAINED,
    State,
    cached_on_hub,
    check_reachable,
    file_state,
    hub_address,
    hub_files,
    load_strictly,
    out_of_reach,
)

CURE = "start from random numbers with weights: null and tune: all"


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
    state = _fitted(file_state(path), network, backbone, source)
    heads = ("head.", "head_")
    state = {key: value for key, value in state.items() if not key.startswith(heads)}
    load_strictly(network, state, source)


def published_file(network: nn.Module, backbone: str) -> Path:
    """Return the file of the weights that timm names, from the cache or by a download.

    Raises:
        DataError: timm names none, or they are not within reach.
    """
    from huggingface_hub import hf_hub_download

    known = getattr(network, "pretrained_cfg", None) or {}
    if not known.get("hf_hub_id"):
        raise DataError(f"timm publishes no weights for {backbone!r}; use weights: null or a file")
    cached = cached_on_hub(known)
    if cached is not None:
        return cached
    check_reachable(hub_address(), backbone, cure=CURE)
    repository, revision, files = hub_files(known)
    try:
        return Path(hf_hub_download(repository, files[0], revision=revision))
    except Exception as error:  # the Hub's client, its transport and the disk each have their own
        raise out_of_reach(backbone, hub_address(), _line(error), cure=CURE) from error


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


def _line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
