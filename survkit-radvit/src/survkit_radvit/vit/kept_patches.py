"""Which patches stay in the computation: their places, and how to lay results back on the grid."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Places:
    """The patches that are computed, in the order of the grid.

    Attributes:
        index: Place on the grid; int64 (batch, kept). Subjects that keep fewer are filled up to the
            longest row with places that they do not keep.
        real: Which entries are kept ones and no filling; bool (batch, kept), ``None`` if all are.
    """

    index: Tensor
    real: Tensor | None = None

    def take(self, values: Tensor) -> Tensor:
        """Return (batch, kept, ...) of values on the whole grid, (batch, patch, ...)."""
        return values[torch.arange(len(values), device=values.device)[:, None], self.index]

    def lay(self, values: Tensor, patches: int) -> Tensor:
        """Return (batch, patch, ...) with zeros where no patch was kept."""
        if self.real is not None:
            real = self.real.reshape(*self.real.shape, *[1] * (values.ndim - 2))
            values = values.masked_fill(~real, 0)
        whole = values.new_zeros(len(values), patches, *values.shape[2:])
        rows = torch.arange(len(values), device=values.device)[:, None]
        return whole.index_put((rows, self.index), values)

    def mask(self, patches: int) -> Tensor:
        """Return which patches of the grid are kept; bool (batch, patch)."""
        real = torch.ones_like(self.index, dtype=torch.bool) if self.real is None else self.real
        return self.lay(real, patches)


def chosen(kept: Tensor) -> Places:
    """Return the places of a choice of its own for each subject, bool (batch, patch).

    Asks the device once how many the longest row keeps.
    """
    count = kept.sum(dim=1)
    longest = int(count.max())
    index = (~kept).to(torch.int8).argsort(dim=1, stable=True)[:, :longest]
    real = torch.arange(longest, device=kept.device)[None] < count[:, None]
    return Places(index, real)


def narrowed(places: Places, kept: Tensor) -> tuple[Places, Places]:
    """Return the choice among places, bool (batch, kept), on the grid and within these places."""
    within = chosen(kept)
    return Places(within.take(places.index), within.real), within
