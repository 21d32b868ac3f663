"""What components say about their data before any data is read.

Plain frozen dataclasses without torch, so that recipes can be composed, refused and listed cheaply.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Literal

from survkit.errors import ConfigError

InputKind = Literal["table", "vector", "image", "volume"]
"""table: columns of one row; vector: precomputed embedding; image: 2-D (channel, y, x); volume: 3-D
(channel, z, y, x)."""


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column of a table modality.

    Attributes:
        name: Column name in the cohort's table.
        levels: The categories seen in the training subjects, in sorted order; ``None`` for a
            numeric column. In the tensor a categorical value is the index of its level,
            ``len(levels)`` if it was not seen in training, and NaN if it is missing.
    """

    name: str
    levels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """What an encoder is given for one modality.

    Attributes:
        kind: The kind of data; decides what ``shape`` means.
        shape: Axes of one subject without the batch and token axes: ``(column,)``, ``(dim,)``,
            ``(channel, y, x)`` or ``(channel, z, y, x)``.
        columns: One entry per column of a table; empty for other kinds.
        has_tokens: ``True`` if a subject has a varying number of such arrays (slices, tiles):
            values are then ``(batch, token, *shape)`` and a token mask comes with them.
        spacing: Voxel size in mm in the order of the spatial axes of ``shape``, where known.
    """

    kind: InputKind
    shape: tuple[int, ...]
    columns: tuple[ColumnSpec, ...] = ()
    has_tokens: bool = False
    spacing: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        axes = {"table": 1, "vector": 1, "image": 3, "volume": 4}[self.kind]
        if len(self.shape) != axes or min(self.shape) < 1:
            raise ConfigError(
                f"a {self.kind} input has {axes} positive axes per subject, not shape {self.shape}"
            )
        if self.kind == "table" and len(self.columns) != self.shape[0]:
            raise ConfigError(
                f"a table of {self.shape[0]} columns needs as many column specs, "
                f"not {len(self.columns)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodingSpec:
    """What an encoder promises to give for every subject.

    Attributes:
        dim: Width of each token, once projected, and of the summary.
        tokens: Number of tokens per subject; ``None`` if it varies between subjects.
        grid: Axes of the regular grid the tokens lie on, slowest first, where they do; its product
            is ``tokens``.
        has_continuous: Whether ``Encoding.continuous``, the unquantized twin of the tokens, is
            given.
        penalties: Names of the per-subject penalties given, without the modality's prefix.
    """

    dim: int
    tokens: int | None = 1
    grid: tuple[int, ...] | None = None
    has_continuous: bool = False
    penalties: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.grid is not None and self.tokens != prod(self.grid):
            raise ConfigError(
                f"a grid of {self.grid} holds {prod(self.grid)} tokens, but tokens={self.tokens}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeSpec:
    """What is predicted: the causes, until when, and on which discrete grid.

    Attributes:
        causes: Names of the event causes; the cause with event code k is ``causes[k - 1]``.
        horizon: Time up to which statements are made, in ``time_unit``; later events count as
            censored there.
        time_grid: Right edges of the discrete intervals ``(edge[i-1], edge[i]]``, the first
            starting at 0; strictly increasing, the last equal to ``horizon``. Fitted on training
            subjects where the recipe asks for quantiles.
        time_unit: Unit of every duration.
    """

    causes: tuple[str, ...]
    horizon: float
    time_grid: tuple[float, ...]
    time_unit: str = "days"

    def __post_init__(self) -> None:
        if not self.causes:
            raise ConfigError("an outcome needs at least one cause of the event")
        edges = (0.0, *self.time_grid)
        if len(edges) < 2 or any(right <= left for left, right in pairwise(edges)):
            raise ConfigError(
                f"time grid edges must be positive and strictly increasing, not {self.time_grid}"
            )
        if self.time_grid[-1] != self.horizon:
            raise ConfigError(
                f"the time grid must end at the horizon {self.horizon:g}, "
                f"not at {self.time_grid[-1]:g}"
            )

    @property
    def intervals(self) -> int:
        """Number of discrete intervals up to the horizon."""
        return len(self.time_grid)
