"""Anybody's table of predictions, from whatever made them: R, scikit-survival, a spreadsheet.

One row per subject (and repeat), in CSV or Parquet:

- ``subject``, ``duration``, ``event``: 0 for censored, k for the k-th cause in the order of the
  ``risk_score`` columns;
- ``risk_score``, or ``risk_score.<cause>`` for each of several causes: higher means an earlier
  event;
- optionally probabilities, ``cumulative_incidence@<time>`` or
  ``cumulative_incidence.<cause>@<time>`` for each cause, or where there is one cause
  ``survival@<time>``;
- optionally ``repeat``, ``fold`` (who held the subject out; the model of a fold was trained on the
  other folds of its repeat), ``site``, ``entry``, ``weight``, ``strata``.

Other columns are not looked at, unless their names are nearly one of these.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from survkit.errors import ConfigError, DataError
from survkit.evaluation import table_cells as cells
from survkit.evaluation.foreign_curves import CURVES, Curves, read_curves
from survkit.evaluation.predictions import Predictions

if TYPE_CHECKING:
    from survkit.data.text_table import TextTable

RISK = "risk_score"
ONE_CAUSE = "event"
"""Name of the cause of a table that names none."""

STEPS = 12
"""Equidistant times up to the horizon at which a table without probabilities is looked at."""

_PLAIN = ("subject", "repeat", "fold", "site", "duration", "event", "entry", "weight", "strata")
_OPTIONAL: dict[str, Callable[[TextTable, str], Any]] = {
    "site": cells.texts,
    "strata": cells.codes,
    "entry": cells.numbers,
    "weight": cells.positive_numbers,
}
UNITS = ("days", "months", "years")
_NO_UNIT = (
    "does not say in which unit its times are; say it (--unit days, in survkit compare "
    "--time-unit days, in Python unit='days')"
)
_ALIKE = 0.85
"""How alike two names must be for one to be a misspelling of the other."""


def read_foreign_table(path: Path, *, horizon: float | None, unit: str | None) -> Predictions:
    """Read and check a table of somebody's predictions.

    Args:
        path: A .csv, .csv.gz or .parquet file.
        horizon: The time up to which statements are made; by default the last time of the
            probabilities. Later probabilities are not looked at.
        unit: Unit of all times.

    Raises:
        DataError: A column is missing, misspelt or holds what it cannot, with its first such row.
        ConfigError: The horizon or the unit is missing, or the horizon is not a time of the table.
    """
    table = cells.read_cells(path)
    _refuse_misspelt(table)
    causes = _causes(table)
    if unit is None:
        raise ConfigError(f"{path} {_NO_UNIT}")
    if unit not in UNITS:
        raise ConfigError(f"a unit of time is {', '.join(UNITS)}, not {unit!r}")
    curves = read_curves(table, causes, horizon)
    if curves is None:
        curves = Curves(_steps(path, horizon), None)
    event = cells.whole_numbers(table, "event", most=len(causes))
    rows = np.zeros(len(table), dtype=np.int64)
    optional = {
        name: read(table, name) for name, read in _OPTIONAL.items() if name in table.columns
    }
    try:
        return Predictions(
            subject=cells.texts(table, "subject"),
            repeat=cells.whole_numbers(table, "repeat") if "repeat" in table.columns else rows,
            fold=cells.whole_numbers(table, "fold") if "fold" in table.columns else rows,
            duration=cells.positive_numbers(table, "duration"),
            event=event,
            causes=causes,
            time_unit=unit,
            horizon=float(curves.times[-1]),
            time_grid=curves.times,
            cumulative_incidence=curves.incidence,
            risk_score=np.stack([cells.numbers(table, name) for name in _risks(table)], axis=1),
            model=path.name.partition(".")[0],
            splits_hash="",
            seed=0,
            **optional,
        )
    except DataError as error:
        if str(error).startswith(table.source):
            raise
        raise DataError(f"{path}: {error} (rows count from 0 after the header)") from error


def _risks(table: TextTable) -> list[str]:
    return [name for name in table.columns if name == RISK or name.startswith(f"{RISK}.")]


def _causes(table: TextTable) -> tuple[str, ...]:
    names = _risks(table)
    if not names:
        raise DataError(
            f"{table.source}: there is no column '{RISK}' (higher means an earlier event), nor "
            f"'{RISK}.<cause>' for several causes; where only probabilities are known, the "
            "probability of the event by the horizon is a risk score"
        )
    if RISK in names and len(names) > 1:
        raise DataError(
            f"{table.source}: there are both '{RISK}' and '{names[1 - names.index(RISK)]}'; name "
            "the cause of each or of none"
        )
    return (ONE_CAUSE,) if names == [RISK] else tuple(name[len(RISK) + 1 :] for name in names)


def _steps(path: Path, horizon: float | None) -> np.ndarray:
    """Return the times of a table without probabilities."""
    if horizon is None:
        raise ConfigError(
            f"{path} has no probabilities at any time, so it does not say up to which time "
            "statements are made; say it (--horizon 1825, horizon=1825)"
        )
    if not 0 < horizon < float("inf"):
        raise ConfigError(f"horizon must be a positive time, not {horizon}")
    times = np.arange(1, STEPS + 1) * (float(horizon) / STEPS)
    times[-1] = horizon
    return times


def _refuse_misspelt(table: TextTable) -> None:
    """Refuse columns whose names are nearly, but not, names with a meaning."""
    known = (*_PLAIN, RISK, *CURVES)
    for name in table.columns:
        stem = name.partition("@")[0].partition(".")[0]
        if stem in known:
            continue
        near = get_close_matches(stem.lower(), known, n=1, cutoff=_ALIKE)
        if near:
            raise DataError(
                f"{table.source}: the column '{name}' would not be read; rename it to "
                f"'{near[0]}', or to something else if that is not what it is"
            )
