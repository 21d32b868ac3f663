"""Asking an encoder of images where it looked; what it says is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from survkit.errors import PluginError
from survkit.explaining.ask import ask
from survkit.showing import ShowsAttentionMaps
from survkit.specs import InputSpec

Floats = NDArray[np.float64]

TOLERANCE = 1e-3
"""Of the sum of a map's weights."""


def offers_maps(encoder: Any, spec: InputSpec) -> bool:
    """Say whether an encoder reads one picture per subject and says where it looked in it."""
    return isinstance(encoder, ShowsAttentionMaps) and spec.kind == "image" and not spec.has_tokens


def attention_maps(encoder: Any, values: Tensor, spec: InputSpec) -> dict[str, Floats]:
    """Return the maps of some subjects by name; float64 (subject, row, column).

    Args:
        encoder: Offers :class:`survkit.showing.ShowsAttentionMaps`.
        values: What its ``forward`` gets, on its device; (subject, ...).
        spec: The picture, before the encoder prepared anything.

    Raises:
        PluginError: It fails or breaks its contract.
    """
    found = ask(encoder, "attention_maps", values)
    where = f"{type(encoder).__name__}.attention_maps"
    if not isinstance(found, Mapping):
        raise PluginError(
            f"{where} must give a mapping of names to maps, not a {type(found).__name__}; tell its "
            "authors"
        )
    return {
        str(name): _checked(given, f"{where} ('{name}')", len(values), spec.shape[1:])
        for name, given in found.items()
    }


def _checked(given: Any, where: str, subjects: int, shape: tuple[int, ...]) -> Floats:
    """Refuse what is no map of weights that sum to one, on at most so many cells as pixels."""
    size = tuple(given.shape) if isinstance(given, Tensor) else ()
    fits = len(size) == 3 and size[0] == subjects and min(size) > 0
    if not fits or any(np.greater(size[1:], shape)):
        came = size if isinstance(given, Tensor) else type(given).__name__
        raise PluginError(
            f"{where} must give ({subjects}, row, column) with at most the picture's {shape} "
            f"pixels, not {came}; tell its authors"
        )
    weight = given.detach().double().cpu()
    if not bool(weight.isfinite().all()) or bool((weight < 0).any()):
        raise PluginError(
            f"{where} must give finite weights of 0 or more, not {weight.min():.4g} to "
            f"{weight.max():.4g}; tell its authors"
        )
    sums = weight.sum(dim=(1, 2))
    if not torch.isclose(sums, torch.ones_like(sums), rtol=0, atol=TOLERANCE).all():
        raise PluginError(
            f"{where} must give weights that sum to one in each subject, not {sums.min():.4g} to "
            f"{sums.max():.4g}; tell its authors"
        )
    return np.asarray(weight.numpy())
