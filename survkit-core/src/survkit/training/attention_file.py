"""Where a model looked, in one small file: a row per subject and weight.

A fusion or encoder that attends says so in its records (:class:`survkit.flow.Fused`,
:class:`survkit.flow.Encoding`). Their weights are watched while test subjects are predicted, so no
component needs to know of it and nothing is computed twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from survkit.atomic_write import write_atomically
from survkit.data import Fold
from survkit.flow import Encoding, Fused
from survkit.model import SurvivalModel

pa: Any = pyarrow  # it ships no types
pq: Any = pyarrow.parquet

ATTENTION_FILE = "attention.parquet"
MODALITY_WEIGHT = "modality_weight"
EFFECTIVE_TOKENS = "effective_tokens"

Weights = dict[tuple[str, str], NDArray[np.float64]]
"""By quantity and modality; float64 (subject), NaN where the subject lacks the modality."""


class AttentionWatch:
    """What the attention weights of some networks say about the subjects they are shown."""

    def __init__(self) -> None:
        self._seen: list[dict[tuple[str, str], list[Tensor]]] = []

    def weights(self) -> Weights:
        """Return the mean over the networks; empty where nothing attends."""
        members = [{key: torch.cat(parts) for key, parts in seen.items()} for seen in self._seen]
        shared = set(members[0]).intersection(*members) if members else set()
        return {
            key: torch.stack([member[key] for member in members]).mean(dim=0).double().numpy()
            for key in sorted(shared)
        }

    def member(self, names: Sequence[str]) -> Any:
        """Return a forward hook for the fusion of one more network."""
        seen: dict[tuple[str, str], list[Tensor]] = defaultdict(list)
        self._seen.append(seen)

        def watch(module: nn.Module, given: tuple[Any, ...], fused: Fused) -> None:
            for key, values in _quantities(names, given[0], fused):
                seen[key].append(values.detach().float().cpu())

        return watch


@contextmanager
def attention_watched(members: Sequence[SurvivalModel]) -> Iterator[AttentionWatch]:
    """Watch the fusions of networks while they predict, subjects in one order."""
    watch = AttentionWatch()
    hooks = [
        member.fusion.register_forward_hook(watch.member(member.modalities)) for member in members
    ]
    try:
        yield watch
    finally:
        for hook in hooks:
            hook.remove()


def write_attention(
    path: Path, weights: Weights, fold: Fold, subjects: Sequence[str]
) -> Path | None:
    """Write ``subject, repeat, fold, quantity, modality, value``; nothing where nothing attends."""
    if not weights:
        return None
    columns: dict[str, list[Any]] = defaultdict(list)
    for (quantity, modality), values in weights.items():
        for subject, value in zip(subjects, values.tolist(), strict=True):
            if np.isfinite(value):
                columns["subject"].append(subject)
                columns["quantity"].append(quantity)
                columns["modality"].append(modality)
                columns["value"].append(value)
    rows = len(columns["subject"])
    columns |= {"repeat": [fold.repeat] * rows, "fold": [fold.fold] * rows}
    order = ("subject", "repeat", "fold", "quantity", "modality", "value")
    table = pa.table({name: pa.array(columns[name]) for name in order})
    return write_atomically(path, lambda neighbour: pq.write_table(table, neighbour))


def _quantities(
    names: Sequence[str], encodings: Mapping[str, Encoding], fused: Fused
) -> Iterator[tuple[tuple[str, str], Tensor]]:
    """Yield each modality's weight, and how many of its tokens the weights amount to."""
    if "modality" in fused.attention_weights and len(names) > 1:
        weight = fused.attention_weights["modality"]
        for column, name in enumerate(sorted(names)):
            yield (MODALITY_WEIGHT, name), _where(encodings[name], weight[:, column])
    for name in names:
        over_tokens = fused.attention_weights.get(name)
        if over_tokens is None:
            over_tokens = encodings[name].attention_weights
        if over_tokens is not None and over_tokens.shape[1] > 1:
            yield (EFFECTIVE_TOKENS, name), _where(encodings[name], _effective(over_tokens))


def _where(encoding: Encoding, values: Tensor) -> Tensor:
    return values.float().masked_fill(~encoding.present, torch.nan)


def _effective(weight: Tensor) -> Tensor:
    """Return exp(entropy): k where k tokens weigh alike and the others nothing."""
    known = weight.float()
    return torch.exp(torch.special.entr(known).sum(dim=1))
