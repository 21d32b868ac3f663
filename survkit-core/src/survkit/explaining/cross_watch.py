"""How patches of one modality attend to those of another, watched while networks predict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from survkit.errors import PluginError
from survkit.explaining.ask import ask
from survkit.flow import Encoding, Fused
from survkit.model import SurvivalModel
from survkit.showing import ShowsCrossAttention

Pair = tuple[str, str]
"""Who looks, who is looked at."""

TOLERANCE = 0.02
"""Of the sum of a row of weights; half precision rounds to three digits."""


@dataclass(frozen=True, slots=True)
class Received:
    """The attention that patches of one modality receive from those of another.

    Attributes:
        grid: Patches along z, y, x.
        subjects: The mean over the patches that look, float64 (patch), sums to one; ``None`` where
            the subject lacks one of both modalities.
    """

    grid: tuple[int, int, int]
    subjects: tuple[NDArray[np.float64] | None, ...]


class CrossWatch:
    """What the fusions of some networks say about the subjects they are shown."""

    def __init__(self) -> None:
        self.members: list[_Member] = []

    def received(self) -> dict[Pair, Received]:
        """Return the mean over the networks, of the pairs that all of them have."""
        pairs = [set(member.parts) for member in self.members]
        found: dict[Pair, Received] = {}
        for pair in sorted(set.intersection(*pairs)) if pairs else []:
            grids = {member.grids[pair[1]] for member in self.members}
            if len(grids) == 1:
                rows = zip(*(member.parts[pair] for member in self.members), strict=True)
                found[pair] = Received(grids.pop(), tuple(_mean(each) for each in rows))
        return found


@contextmanager
def cross_attention_watched(members: Sequence[SurvivalModel]) -> Iterator[CrossWatch]:
    """Watch the fusions of networks while they predict, subjects in one order."""
    watch = CrossWatch()
    hooks = []
    for member in members:
        if isinstance(member.fusion, ShowsCrossAttention):
            watch.members.append(_Member(dict(cast(Any, member.fusion).patch_grids)))
            hooks.append(member.fusion.register_forward_hook(watch.members[-1].hook))
    try:
        yield watch
    finally:
        for hook in hooks:
            hook.remove()


@dataclass(slots=True)
class _Member:
    """What one network said, batch by batch."""

    grids: dict[str, tuple[int, int, int]]
    parts: dict[Pair, list[NDArray[np.float64] | None]] = field(default_factory=dict)

    def hook(self, module: nn.Module, given: tuple[Any, ...], fused: Fused) -> None:
        """Ask the fusion for its pairs after every batch."""
        if not self.grids:
            return
        encodings: Mapping[str, Encoding] = given[0]
        found = ask(module, "cross_attention", encodings)
        for (looks, seen), weight in found.items():
            both = (encodings[looks].present & encodings[seen].present).cpu()
            shape = (len(both), prod(self.grids[looks]), prod(self.grids[seen]))
            _check(type(module).__name__, weight, shape, both)
            mean = weight.detach().double().mean(dim=1).cpu()
            rows = self.parts.setdefault((looks, seen), [])
            rows += [row.numpy() if there else None for row, there in zip(mean, both, strict=True)]


def _check(name: str, weight: Tensor, shape: tuple[int, ...], both: Tensor) -> None:
    if tuple(weight.shape) != shape:
        raise PluginError(
            f"{name}.cross_attention must give weights of {shape} (subject, query patch, key "
            f"patch), as its patch_grids say, not {tuple(weight.shape)}; tell its authors"
        )
    sums = weight.detach().double().sum(dim=2).cpu()[both]
    if not torch.isclose(sums, torch.ones_like(sums), atol=TOLERANCE).all():
        raise PluginError(
            f"{name}.cross_attention must give weights that sum to one over the key patches, not "
            f"{sums.min():.4g} to {sums.max():.4g}; tell its authors"
        )


def _mean(rows: tuple[NDArray[np.float64] | None, ...]) -> NDArray[np.float64] | None:
    there = [row for row in rows if row is not None]
    return np.asarray(np.mean(there, axis=0)) if len(there) == len(rows) else None
