"""A modality that was not acquired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from survkit.protocols import Sample
from survkit.specs import InputKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingModality:
    """Takes the modality away: the subject is predicted from the others, as far as the fusion can.

    Corrupting everybody so gives the price of omitting the modality from a model that was trained
    with it, which is not that of a model trained without.
    """

    kinds: ClassVar[tuple[InputKind, ...]] = ("table", "vector", "image", "volume")
    levels: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    stochastic: ClassVar[bool] = False

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> None:
        """Give nothing."""
        return None
