"""Attention weights of networks, watched while they predict.

A fusion or encoder that attends says so in its records (:class:`survkit.flow.Fused`,
:class:`survkit.flow.Encoding`); so no component needs to know that somebody looks, and nothing is
computed twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from survkit.flow import Encoding, Fused
from survkit.model import SurvivalModel

MODALITY_WEIGHT = "modality_weight"
EFFECTIVE_TOKENS = "effective_tokens"

Weights = dict[tuple[str, str], NDArray[np.float64]]
"""By quantity and modality; float64 (subject), NaN where the subject lacks the modality."""


@dataclass(frozen=True, slots=True)
class TokenWeights:
    """The weights over the tokens of one modality.

    Attributes:
        subjects: One array per subject, float32 (token), real tokens only, but on a grid every
            place of it, with zero where a token was left out; ``None`` where the subject lacks the
            modality.
        grid: Axes of the grid the tokens lie on, slowest first, where they do.
    """

    subjects: tuple[NDArray[np.float32] | None, ...]
    grid: tuple[int, ...] | None


class AttentionWatch:
    """What the attention weights of some networks say about the subjects they are shown."""

    def __init__(self) -> None:
        self._seen: list[_Member] = []

    def weights(self) -> Weights:
        """Return the mean over the networks; empty where nothing attends."""
        members = [member.quantities() for member in self._seen]
        shared = set(members[0]).intersection(*members) if members else set()
        return {
            key: torch.stack([member[key] for member in members]).mean(dim=0).double().numpy()
            for key in sorted(shared)
        }

    def tokens(self) -> dict[str, TokenWeights]:
        """Return the weights over tokens by modality, the mean over the networks.

        A modality is there where every network attends over its tokens, some subject has more than
        one, and all networks see the same number of them.
        """
        members = [member.tokens for member in self._seen]
        shared = set(members[0]).intersection(*members) if members else set()
        found = {}
        for name in sorted(shared):
            together = list(zip(*(member[name] for member in members), strict=True))
            if not _alike(together) or not _several(members[0][name]):
                continue
            subjects = tuple(_mean(parts) for parts in together)
            found[name] = TokenWeights(subjects, self._seen[0].grids[name])
        return found

    def member(self, names: Sequence[str]) -> Any:
        """Return a forward hook for the fusion of one more network."""
        seen = _Member()
        self._seen.append(seen)

        def watch(module: nn.Module, given: tuple[Any, ...], fused: Fused) -> None:
            seen.add(names, given[0], fused)

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


@dataclass(slots=True)
class _Member:
    """What one network said, batch by batch."""

    shown: int = 0
    parts: dict[tuple[str, str], list[Tensor]] = field(default_factory=dict)
    tokens: dict[str, list[NDArray[np.float32] | None]] = field(default_factory=dict)
    grids: dict[str, tuple[int, ...] | None] = field(default_factory=dict)

    def add(self, names: Sequence[str], encodings: Mapping[str, Encoding], fused: Fused) -> None:
        """Keep what was said about one batch."""
        batch = len(fused.embedding)
        for key, values in _quantities(names, encodings, fused):
            self._filled(key).append(values.detach().float().cpu())
        for name in names:
            weight = _over_tokens(name, encodings, fused)
            if weight is not None:
                encoding = encodings[name]
                self.grids[name] = encoding.grid
                gone: list[NDArray[np.float32] | None] = [None] * self.shown
                self.tokens.setdefault(name, gone).extend(_real(encoding, weight))
        self.shown += batch
        for rows in self.tokens.values():  # nobody of the batch has what others attend over
            rows += [None] * (self.shown - len(rows))

    def quantities(self) -> dict[tuple[str, str], Tensor]:
        """Return each quantity of all subjects; tokens are counted where there are several."""
        return {
            key: torch.cat(self._filled(key))
            for key in self.parts
            if key[0] != EFFECTIVE_TOKENS or _several(self.tokens[key[1]])
        }

    def _filled(self, key: tuple[str, str]) -> list[Tensor]:
        """Return the parts of a quantity, NaN for the batches that had none of it."""
        parts = self.parts.setdefault(key, [])
        missing = self.shown - sum(len(part) for part in parts)
        if missing:
            parts.append(torch.full((missing,), torch.nan))
        return parts


def _quantities(
    names: Sequence[str], encodings: Mapping[str, Encoding], fused: Fused
) -> Iterator[tuple[tuple[str, str], Tensor]]:
    """Yield each modality's weight, and how many of its tokens the weights amount to."""
    if "modality" in fused.attention_weights and len(names) > 1:
        weight = fused.attention_weights["modality"]
        for column, name in enumerate(sorted(names)):
            yield (MODALITY_WEIGHT, name), _where(encodings[name], weight[:, column])
    for name in names:
        over_tokens = _over_tokens(name, encodings, fused)
        if over_tokens is not None:
            yield (EFFECTIVE_TOKENS, name), _where(encodings[name], _effective(over_tokens))


def _over_tokens(name: str, encodings: Mapping[str, Encoding], fused: Fused) -> Tensor | None:
    """Return the weights over a modality's tokens: the fusion's, else the encoder's own."""
    weight = fused.attention_weights.get(name)
    return encodings[name].attention_weights if weight is None else weight


def _real(encoding: Encoding, weight: Tensor) -> list[NDArray[np.float32] | None]:
    """Return each subject's weights over its real tokens, or over the places of a grid."""
    values = weight.detach().float().cpu().numpy()
    whole = encoding.token_mask is None or encoding.grid is not None
    mask = None if whole else encoding.token_mask.cpu().numpy()  # type: ignore[union-attr]
    rows: list[NDArray[np.float32] | None] = []
    for row, present in enumerate(encoding.present.tolist()):
        own = values[row] if mask is None else values[row][mask[row]]
        rows.append(own.copy() if present else None)
    return rows


def _several(rows: Sequence[NDArray[np.float32] | None]) -> bool:
    return any(row is not None and len(row) > 1 for row in rows)


def _alike(together: Sequence[tuple[NDArray[np.float32] | None, ...]]) -> bool:
    """Whether all networks see the same tokens of every subject."""
    sizes = ({None if part is None else len(part) for part in parts} for parts in together)
    return all(len(each) == 1 for each in sizes)


def _mean(parts: tuple[NDArray[np.float32] | None, ...]) -> NDArray[np.float32] | None:
    """Return the mean over the networks of one subject's weights."""
    there = [part for part in parts if part is not None]
    if not there:
        return None
    return np.asarray(np.mean(there, axis=0, dtype=np.float64), dtype=np.float32)


def _where(encoding: Encoding, values: Tensor) -> Tensor:
    return values.float().masked_fill(~encoding.present, torch.nan)


def _effective(weight: Tensor) -> Tensor:
    """Return exp(entropy): k where k tokens weigh alike and the others nothing."""
    known = weight.float()
    return torch.exp(torch.special.entr(known).sum(dim=1))
