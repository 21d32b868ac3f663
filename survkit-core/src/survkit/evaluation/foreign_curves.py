"""Probabilities in somebody's table: columns ``survival@365`` or ``cumulative_incidence@365``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from survkit.errors import ConfigError, DataError
from survkit.evaluation import table_cells as cells
from survkit.evaluation.predictions import Floats

if TYPE_CHECKING:
    from survkit.data.text_table import TextTable

SURVIVAL, INCIDENCE = "survival", "cumulative_incidence"
CURVES = (SURVIVAL, INCIDENCE)


class Curves(NamedTuple):
    """Times and P(event of the cause by the time), (row, cause, time), where there are any."""

    times: Floats
    incidence: Floats | None


def read_curves(table: TextTable, causes: Sequence[str], horizon: float | None) -> Curves | None:
    """Return the probabilities until the horizon; ``None`` where the table has none.

    Args:
        table: Somebody's.
        causes: Names of the causes.
        horizon: One of the times; the last by default.

    Raises:
        DataError: A name has no time, times of causes differ, survival stands for several causes.
        ConfigError: The horizon is not one of the times.
    """
    found: dict[str, dict[float, str]] = {}
    for name in table.columns:
        kind, at, time = name.partition("@")
        if kind.partition(".")[0] in CURVES:
            moment = _time(table, name, time if at else "")
            if moment in (others := found.setdefault(kind, {})):
                raise DataError(
                    f"{table.source}: '{others[moment]}' and '{name}' are of the same time"
                )
            others[moment] = name
    if not found:
        return None
    wanted = _wanted(table, tuple(found), causes)
    times = sorted(found[wanted[0]])
    for kind in wanted[1:]:
        if sorted(found[kind]) != times:
            raise DataError(
                f"{table.source}: '{wanted[0]}' and '{kind}' must be given at the same times"
            )
    kept = [time for time in times if horizon is None or time <= horizon]
    if not kept or (horizon is not None and kept[-1] != horizon):
        listed = ", ".join(f"{time:g}" for time in times)
        raise ConfigError(
            f"the horizon {horizon:g} is none of the times at which {table.source} has "
            f"probabilities, {listed}; take one of them"
        )
    values = [[cells.numbers(table, found[kind][time]) for time in kept] for kind in wanted]
    incidence = np.moveaxis(np.array(values), 2, 0).copy()
    if wanted == [SURVIVAL]:
        incidence = 1 - incidence
    return Curves(np.array(kept), incidence)


def _wanted(table: TextTable, kinds: Sequence[str], causes: Sequence[str]) -> list[str]:
    """Return the kind of column of each cause, after refusing any other."""
    single = len(causes) == 1
    if SURVIVAL in kinds and not single:
        raise DataError(
            f"{table.source}: '{SURVIVAL}@<time>' says nothing about which of several causes; give "
            f"'{INCIDENCE}.<cause>@<time>' for each of {', '.join(causes)}"
        )
    named = [f"{INCIDENCE}.{cause}" for cause in causes]
    allowed = [[SURVIVAL], [INCIDENCE], named] if single else [named]
    for kind in allowed:
        if sorted(kind) == sorted(kinds):
            return kind
    ways = " or ".join(", ".join(kind) for kind in allowed)
    raise DataError(
        f"{table.source}: probabilities must be given by {ways} (@<time>), but there are "
        f"{', '.join(kinds)}"
    )


def _time(table: TextTable, name: str, text: str) -> float:
    try:
        time = float(text)
    except ValueError:
        time = float("nan")
    if not 0 < time < float("inf"):
        raise DataError(
            f"{table.source}: the name of the column '{name}' must end in @ and a time above 0, "
            "such as @365"
        )
    return time
