"""Which tokens are kept: those above a share of the attention, or so many of the most important."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal

import torch
from torch import Tensor

from survkit.errors import ConfigError
from survkit.token_threshold import above_threshold

Rule = Literal["threshold", "keep"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A rule by which tokens are kept.

    Attributes:
        rule: ``"threshold"``: those with at least ``value / tokens`` of the importance, and always
            the most important one; ``"keep"``: the most important ones, ``value`` of all, at least
            one.
        value: In units of the uniform importance, or a share of the tokens.
    """

    rule: Rule
    value: float

    def __post_init__(self) -> None:
        if self.rule == "threshold" and not (isfinite(self.value) and self.value >= 0):
            raise ConfigError(
                "a threshold is in units of the uniform importance 1 / tokens, at least 0, not "
                f"{self.value}"
            )
        if self.rule == "keep" and not 0 < self.value <= 1:
            raise ConfigError(
                f"keep is a share of the tokens, more than 0 and at most 1, not {self.value}"
            )

    @property
    def key(self) -> str:
        """Name of the folder of its predictions, such as ``threshold-1`` or ``keep-0.3``."""
        return f"{self.rule}-{self.value:g}"

    @property
    def label(self) -> str:
        """The rule in words."""
        if self.rule == "threshold":
            return f"at least {self.value:g} / tokens"
        return f"the first {self.value:.4g} of tokens"

    def kept(self, importance: Tensor) -> Tensor:
        """Return which tokens are kept, bool.

        Args:
            importance: Sums to one over its last axis; (..., token). Of equal ones the first are
                taken first.
        """
        tokens = importance.shape[-1]
        if self.rule == "keep":
            count = max(1, round(self.value * tokens))
            order = importance.argsort(dim=-1, descending=True, stable=True)
            kept = torch.zeros_like(importance, dtype=torch.bool)
            return kept.scatter(-1, order[..., :count], True)
        return above_threshold(importance, self.value)
