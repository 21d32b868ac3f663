"""Whether a map of attention depends on what the encoder learnt: its weights are randomised.

A map that stays as it is when the weights become noise tells of the architecture, or of the edges
of the picture, and not of what the model learnt.

Reference: Adebayo et al. (2018), Sanity checks for saliency maps, cascading randomisation. There,
layers get the weights of a new network; here, the entries of every parameter tensor are permuted,
so that each keeps its distribution and no initialisation need be known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor, nn

from survkit.explaining.attention_maps import Floats, attention_maps
from survkit.explaining.map_watch import Maps, SeenMaps, mean_maps
from survkit.model import SurvivalModel
from survkit.specs import InputSpec

STEPS = 3
"""A third of the parameter tensors, two thirds, all of them; the last ones first."""
DRAWS = 3
"""Orders of the entries that are tried at every step: by one alone a map may stay alike by luck."""
_BATCH = 4


@dataclass(frozen=True, slots=True)
class RandomisedMaps:
    """Maps of an encoder part of whose weights are noise.

    Attributes:
        share: Of its parameter tensors that are, counted from the last.
        draws: As of the encoder itself, for every order that was tried.
    """

    share: float
    draws: tuple[Maps, ...]


def randomised_maps(
    members: Sequence[SurvivalModel],
    modality: str,
    seen: SeenMaps,
    spec: InputSpec,
    *,
    device: str,
) -> tuple[RandomisedMaps, ...]:
    """Return the maps of every step, the mean over the networks; none without weights.

    The networks themselves are never changed: their encoders are copied.

    Args:
        members: The networks.
        modality: Whose encoder is randomised.
        seen: What the networks' encoders were given.
        spec: Of the picture.
        device: Where the copies compute.
    """
    draws = []
    for draw in range(DRAWS):
        each = [
            _cascade(member.encoders[modality], given, spec, device=device, draw=draw)
            for member, given in zip(members, seen.values, strict=True)
        ]
        draws.append([(steps[0][0], _mean(steps)) for steps in zip(*each, strict=True)])
    return tuple(
        RandomisedMaps(steps[0][0], tuple(maps for _, maps in steps))
        for steps in zip(*draws, strict=True)
    )


def permute_weights(module: nn.Module, first: int, last: int, *, draw: int = 0) -> None:
    """Permute the entries of parameter tensors number ``first`` up to, not including, ``last``.

    Tensors are counted in the order in which the module registered them. The same permutations each
    time, others for every tensor and draw. Buffers stay.
    """
    tensors = [tensor for _, tensor in module.named_parameters()]
    with torch.no_grad():
        for number in range(first, last):
            tensor = tensors[number]
            generator = torch.Generator().manual_seed(DRAWS * number + draw)
            order = torch.randperm(tensor.numel(), generator=generator).to(tensor.device)
            tensor.copy_(tensor.detach().flatten()[order].reshape(tensor.shape))


def rank_correlation(one: Floats, other: Floats) -> float | None:
    """Return the Spearman rank correlation of two maps, ties by their mean rank; ``None`` where one
    of them is the same everywhere.
    """
    if is_flat(one) or is_flat(other):
        return None
    ranks = [rankdata(each.ravel()) for each in (one, other)]
    return float(np.corrcoef(ranks)[0, 1])


def is_flat(weight: Floats) -> bool:
    """Say whether a map is the same everywhere, but for rounding."""
    return bool(np.ptp(weight) <= 1e-6 * weight.max())


def _mean(steps: Sequence[tuple[float, Maps]]) -> Maps:
    return mean_maps([maps for _, maps in steps])


def _cascade(
    encoder: nn.Module,
    values: Sequence[Tensor | None],
    spec: InputSpec,
    *,
    device: str,
    draw: int,
) -> Iterator[tuple[float, Maps]]:
    """Yield share and maps, step by step, each of which goes on where the one before ended."""
    count = len(list(encoder.parameters()))
    if not count:
        return
    copy = deepcopy(encoder).to(device)
    done = 0
    for step in range(1, STEPS + 1):
        upto = ceil(count * step / STEPS)
        permute_weights(copy, count - upto, count - done, draw=draw)
        done = upto
        yield done / count, _maps(copy, values, spec)


def _maps(encoder: Any, values: Sequence[Tensor | None], spec: InputSpec) -> Maps:
    """Return the maps of all subjects, a few at a time."""
    there = [number for number, one in enumerate(values) if one is not None]
    device = next(encoder.parameters()).device
    rows: dict[int, Mapping[str, Floats]] = {}
    for start in range(0, len(there), _BATCH):
        batch = there[start : start + _BATCH]
        given = torch.stack([one for one in map(values.__getitem__, batch) if one is not None])
        found = attention_maps(encoder, given.to(device), spec)
        for place, number in enumerate(batch):
            rows[number] = {name: each[place] for name, each in found.items()}
    names = rows[there[0]] if there else {}
    return {
        name: tuple(rows[number][name] if number in rows else None for number in range(len(values)))
        for name in names
    }
