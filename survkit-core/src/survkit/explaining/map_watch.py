"""Where encoders of images looked, watched while networks predict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor, nn

from survkit.explaining.attention_maps import Floats, attention_maps, offers_maps
from survkit.flow import ModalityInput
from survkit.model import SurvivalModel
from survkit.specs import InputSpec

Maps = Mapping[str, tuple[Floats | None, ...]]
"""By name, of each subject (row, column); ``None`` where the subject lacks the modality."""


@dataclass(frozen=True, slots=True)
class SeenMaps:
    """Where some networks looked in the pictures of one modality.

    Attributes:
        maps: The mean over the networks.
        values: What each network's encoder was given of each subject, (*shape), on the CPU; empty
            where nobody asked for it.
    """

    maps: Maps
    values: tuple[tuple[Tensor | None, ...], ...]


class MapWatch:
    """What the encoders of some networks say about the subjects they are shown."""

    def __init__(self) -> None:
        self.members: list[_Member] = []

    def seen(self) -> dict[str, SeenMaps]:
        """Return by modality the maps that all networks have."""
        shared = set.intersection(*(set(each.maps) for each in self.members))
        return {
            name: SeenMaps(
                mean_maps([member.of(name) for member in self.members]),
                tuple(tuple(each.values[name]) for each in self.members if name in each.values),
            )
            for name in sorted(shared)
        }


@contextmanager
def attention_maps_watched(
    members: Sequence[SurvivalModel], specs: Mapping[str, InputSpec], *, keep_values: bool
) -> Iterator[MapWatch]:
    """Watch networks while they predict, subjects in one order.

    Args:
        members: The networks.
        specs: What they were built for, by the name of the encoder.
        keep_values: Remember what the encoders were given.
    """
    watch = MapWatch()
    hooks = []
    for member in members:
        watch.members.append(_Member(specs, keep_values))
        hooks.append(member.register_forward_hook(watch.members[-1].hook))
    try:
        yield watch
    finally:
        for hook in hooks:
            hook.remove()


def mean_maps(parts: Sequence[Maps]) -> dict[str, tuple[Floats | None, ...]]:
    """Return the mean over networks of the maps that all of them have, on one grid."""
    found = {}
    for name in parts[0]:
        if not all(name in part for part in parts):
            continue
        rows = list(zip(*(part[name] for part in parts), strict=True))
        grids = {one.shape for row in rows for one in row if one is not None}
        if len(grids) == 1:
            found[name] = tuple(_mean(row) for row in rows)
    return found


@dataclass(slots=True)
class _Member:
    """What one network said, batch by batch."""

    specs: Mapping[str, InputSpec]
    keep_values: bool
    maps: dict[str, list[dict[str, Floats] | None]] = field(default_factory=dict)
    values: dict[str, list[Tensor | None]] = field(default_factory=dict)

    def hook(self, module: nn.Module, given: tuple[Any, ...], output: Any) -> None:
        """Ask the encoders of images after every batch."""
        inputs: Mapping[str, ModalityInput] = given[0]
        encoders: Any = module.encoders
        for name, encoder in encoders.items():
            if not offers_maps(encoder, self.specs[name]):
                continue
            there = inputs[name].present
            values = inputs[name].values[there]
            found = attention_maps(encoder, values, self.specs[name]) if len(values) else {}
            place = iter(range(len(values)))
            for present in there.tolist():
                row = next(place) if present else None
                own = None if row is None else {key: each[row] for key, each in found.items()}
                self.maps.setdefault(name, []).append(own)
                if self.keep_values:
                    kept = None if row is None else values[row].detach().cpu()
                    self.values.setdefault(name, []).append(kept)

    def of(self, name: str) -> Maps:
        """Return the maps of a modality that everybody who has the modality has."""
        rows = self.maps[name]
        told = [set(row) for row in rows if row is not None]
        shared = set.intersection(*told) if told else set()
        order = next((list(row) for row in rows if row is not None), [])
        return {
            key: tuple(None if row is None else row[key] for row in rows)
            for key in order
            if key in shared
        }


def _mean(row: Sequence[Floats | None]) -> Floats | None:
    there = [one for one in row if one is not None]
    return np.asarray(np.mean(there, axis=0)) if len(there) == len(row) else None
