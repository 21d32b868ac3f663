"""Predictions as a Parquet file of plain columns, which pandas, R and Excel importers read without
survkit.

One row per subject and repeat: ``subject, repeat, fold, site, group, duration, event, entry,
weight, strata``,
``risk_score.<cause>`` and ``cumulative_incidence.<cause>@<time>`` (none of the latter where nothing
but risk scores is known). What is not a column (causes,
unit, horizon, grid,
model, splits, seed) is JSON under the key ``survkit.predictions`` of the schema's metadata.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from survkit.atomic_write import write_atomically
from survkit.errors import DataError
from survkit.evaluation.predictions import Predictions

pa: Any = pyarrow  # it ships no types
pq: Any = pyarrow.parquet

FORMAT = 1
_KEY = b"survkit.predictions"
_ITEMS: dict[str, Any] = {"causes": str, "time_grid": (int, float)}
"""Of which type the items of the lists among the facts are."""

_FACTS: dict[str, Any] = {
    "causes": list,
    "time_unit": str,
    "horizon": (int, float),
    "time_grid": list,
    "model": str,
    "splits_hash": str,
    "seed": int,
}


def write_predictions(table: Predictions, path: Path) -> Path:
    """Write the table; a crash on the way leaves what was at ``path`` before.

    Raises:
        DataError: The folder does not exist or cannot be written to.
    """
    columns: dict[str, Any] = {"subject": table.subject, "repeat": table.repeat, "fold": table.fold}
    columns |= {
        "site": table.site,
        "group": table.group,
        "duration": table.duration,
        "event": table.event,
    }
    columns |= {"entry": table.entry, "weight": table.weight, "strata": table.strata}
    for index, cause in enumerate(table.causes):
        columns[_risk_column(cause)] = table.risk_score[:, index]
        if table.cumulative_incidence is None:
            continue
        for step, time in enumerate(table.time_grid):
            columns[incidence_column(cause, time)] = table.cumulative_incidence[:, index, step]
    arrow = pa.table(
        {name: pa.array(values) for name, values in columns.items() if values is not None}
    )
    facts = {"format": FORMAT, "causes": list(table.causes), "time_unit": table.time_unit}
    facts |= {"horizon": table.horizon, "time_grid": table.time_grid.tolist(), "model": table.model}
    facts |= {"splits_hash": table.splits_hash, "seed": table.seed}
    metadata = {_KEY: json.dumps(facts)}
    complete = arrow.replace_schema_metadata(metadata)
    return write_atomically(path, lambda neighbour: pq.write_table(complete, neighbour))


def read_predictions(path: Path) -> Predictions:
    """Read and check a table that :func:`write_predictions` wrote.

    Raises:
        DataError: The file is missing or damaged, a column or fact is missing, or a value is
            impossible.
    """
    if not path.is_file():
        raise DataError(
            f"{path}: there is no such predictions table; `survkit cv` writes one into its run "
            "folder"
        )
    try:
        arrow = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path}: not a readable Parquet file: {str(error).splitlines()[0]}"
        ) from error
    try:
        return _from_arrow(arrow)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def is_somebody_elses(path: Path) -> bool:
    """Say whether a Parquet file has a schema, but not the facts of predictions of survkit."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        return False  # reading it will say what is wrong with it
    return _KEY not in (schema.metadata or {})


def _from_arrow(arrow: Any) -> Predictions:
    facts = _facts(arrow)
    causes, grid = tuple(facts["causes"]), np.asarray(facts["time_grid"], dtype=np.float64)
    risk = [_column(arrow, _risk_column(cause)) for cause in causes]
    optional = {
        name: _column(arrow, name) if name in arrow.column_names else None
        for name in ("entry", "weight", "site", "strata", "group")
    }
    return Predictions(
        subject=_column(arrow, "subject"),
        repeat=_column(arrow, "repeat"),
        fold=_column(arrow, "fold"),
        duration=_column(arrow, "duration"),
        event=_column(arrow, "event"),
        causes=causes,
        time_unit=facts["time_unit"],
        horizon=float(facts["horizon"]),
        time_grid=grid,
        cumulative_incidence=_incidence(arrow, causes, grid),
        risk_score=np.stack(risk, axis=1),
        model=facts["model"],
        splits_hash=facts["splits_hash"],
        seed=facts["seed"],
        **optional,
    )


def _incidence(arrow: Any, causes: tuple[str, ...], grid: NDArray[Any]) -> NDArray[Any] | None:
    """Return (row, cause, grid), or ``None`` where the table holds no probability at all."""
    if not any(name.startswith("cumulative_incidence.") for name in arrow.column_names):
        return None
    columns = [[_column(arrow, incidence_column(cause, time)) for time in grid] for cause in causes]
    return np.moveaxis(np.array(columns).reshape(len(causes), len(grid), -1), 2, 0).copy()


def _facts(arrow: Any) -> dict[str, Any]:
    raw = (arrow.schema.metadata or {}).get(_KEY)
    if raw is None:
        raise DataError(
            "a Parquet file, but not of predictions: its metadata has no survkit.predictions"
        )
    try:
        facts = json.loads(raw)
    except ValueError as error:
        raise DataError(f"the facts in survkit.predictions are not JSON: {error}") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        found = facts.get("format") if isinstance(facts, dict) else facts
        raise DataError(
            f"predictions of format {FORMAT} were expected, not {found}; update survkit or "
            "predict again"
        )
    for name, kind in _FACTS.items():
        value = facts.get(name)
        items = value if isinstance(value, list) else []
        if not isinstance(value, kind) or not all(isinstance(one, _ITEMS[name]) for one in items):
            raise DataError(
                f"the facts in survkit.predictions need a usable {name}, not {facts.get(name)!r}"
            )
    return facts


def _column(arrow: Any, name: str) -> NDArray[Any]:
    if name not in arrow.column_names:
        raise DataError(
            f"the column {name} is missing; there are {', '.join(arrow.column_names[:12])} …"
        )
    column = arrow.column(name)
    if column.null_count:
        row = column.to_pylist().index(None)
        raise DataError(f"the column {name} must have a value in every row, but row {row} has none")
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return np.array(column.to_pylist(), dtype=np.str_)
    values: NDArray[Any] = column.to_numpy()
    return values.copy()


def _risk_column(cause: str) -> str:
    return f"risk_score.{cause}"


def incidence_column(cause: str, time: float) -> str:
    """Times are written as short as they can be read back: 365, 0.1, 1.0000000000000002."""
    shown = f"{time:.15g}" if float(f"{time:.15g}") == time else repr(float(time))
    return f"cumulative_incidence.{cause}@{shown}"
