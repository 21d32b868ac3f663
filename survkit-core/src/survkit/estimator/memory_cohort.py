"""A cohort made of a data frame or an array instead of files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survkit.data import Cohort
from survkit.data.cohort_config import CohortConfig, OutcomeConfig
from survkit.data.modality_config import TableModality, VectorModality
from survkit.data.outcome import Outcome
from survkit.data.readers.source import ModalitySource
from survkit.data.readers.table import open_table
from survkit.data.readers.vector import open_vectors
from survkit.data.text_table import TextTable
from survkit.errors import DataError

SOURCE = "X"
CAUSE = "event"
Unit = Literal["days", "months", "years"]


@dataclass(frozen=True, slots=True)
class InputColumns:
    """The columns of X that make one modality.

    Attributes:
        kind: ``"table"``, or ``"vector"`` for an embedding.
        columns: Their names.
    """

    kind: Literal["table", "vector"]
    columns: tuple[str, ...]


def memory_cohort(
    frame: pd.DataFrame,
    outcome: Outcome | None,
    inputs: Mapping[str, InputColumns],
    unit: Unit,
) -> Cohort:
    """Return the rows of a frame as a cohort; subjects are named by their position.

    Args:
        frame: With text column names.
        outcome: ``None`` for subjects to be predicted.
        inputs: By modality.
        unit: Of the times.

    Raises:
        DataError: A column is missing, mixes numbers and text, is infinite or of a type that no
            table holds; or a subject has none of the modalities.
    """
    subjects = tuple(str(row) for row in range(len(frame)))
    used = dict.fromkeys(name for one in inputs.values() for name in one.columns)
    columns = {name: _values(frame, name) for name in used}
    table = TextTable(SOURCE, columns, _digest(columns))
    sources = {name: _opened(name, one, table, subjects) for name, one in inputs.items()}
    present = np.any([source.available for source in sources.values()], axis=0)
    if not present.all():
        row = int(np.flatnonzero(~present)[0])
        raise DataError(
            f"X: row {row} has none of the modalities {', '.join(inputs)} "
            f"({int((~present).sum())} such rows); leave it out"
        )
    return Cohort(
        name="in memory",
        source=SOURCE,
        config=_config(inputs, unit),
        subjects=subjects,
        outcome=outcome,
        site=None,
        sources=sources,
        digest=table.sha256,
    )


def _config(inputs: Mapping[str, InputColumns], unit: Unit) -> CohortConfig:
    return CohortConfig(
        name="in memory",
        table=SOURCE,
        subject="row",
        outcome=OutcomeConfig(duration="time", unit=unit, event="event", causes={1: CAUSE}),
        modalities={
            name: {"kind": one.kind, "columns": list(one.columns)} for name, one in inputs.items()
        },
    )


def _opened(
    name: str, one: InputColumns, table: TextTable, subjects: Sequence[str]
) -> ModalitySource:
    if one.kind == "vector":
        vector = VectorModality(kind="vector", columns=list(one.columns))
        return open_vectors(vector, table, "row", subjects, name)
    words = [each for each in one.columns if table.columns[each].dtype == object]
    settings = TableModality(kind="table", columns=list(one.columns), categorical=words)
    return open_table(settings, table, "row", subjects, name)


def _values(frame: pd.DataFrame, name: str) -> NDArray[Any]:
    """Return a column as float64 (NaN missing), or as text (``None`` missing): a category."""
    if name not in frame.columns:
        raise DataError(f"X has no column '{name}'; it has {', '.join(map(str, frame.columns))}")
    column = frame[name]
    if isinstance(column, pd.DataFrame):
        raise DataError(f"X: the column '{name}' stands twice")
    kind = column.dtype.kind
    if kind in "biuf":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    cells = [None if missing else cell for cell, missing in zip(column, column.isna(), strict=True)]
    known = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, str) for cell in known) and known:
        return np.array(cells, dtype=object)
    if all(isinstance(cell, int | float | np.number) for cell in known):
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    row = next(k for k, cell in enumerate(cells) if not isinstance(cell, str | None))
    raise DataError(
        f"X: the column '{name}' must hold numbers or texts, but row {row} has {cells[row]!r} "
        f"({type(cells[row]).__name__}); make it one of the two"
    )


def _digest(columns: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name, values in columns.items():
        digest.update(f"{name}:{values.dtype}:".encode())
        digest.update(repr(values.tolist()).encode())
    return digest.hexdigest()
