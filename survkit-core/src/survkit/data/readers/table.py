"""Columns of a table as numbers and categories, those of the training subjects."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.data.modality_config import TableModality
from survkit.data.readers.all_columns import all_columns
from survkit.data.readers.join import joined_rows
from survkit.data.readers.source import Rows
from survkit.data.text_table import TextTable
from survkit.errors import DataError
from survkit.protocols import Sample
from survkit.specs import ColumnSpec, InputSpec


@dataclass(frozen=True, slots=True)
class TableSource:
    """Numeric columns as float64 (NaN missing), categorical ones as text (``None`` missing).

    Attributes:
        source: File, for messages.
        available: Which subjects have a row; bool (subject).
        numeric: By column; float64 (subject).
        categorical: By column; text (subject).
        order: All columns, in the order of the tensor.
    """

    source: str
    available: NDArray[np.bool_]
    numeric: dict[str, NDArray[np.float64]]
    categorical: dict[str, NDArray[np.object_]]
    order: tuple[str, ...]

    def spec(self, rows: Rows) -> InputSpec:
        """Return the columns; levels are those seen in the given rows."""
        columns = tuple(
            ColumnSpec(name, _levels(self.categorical[name][rows]))
            if name in self.categorical
            else ColumnSpec(name)
            for name in self.order
        )
        return InputSpec(kind="table", shape=(len(columns),), columns=columns)

    def block(self, rows: Rows, spec: InputSpec) -> NDArray[np.float32]:
        """Return (row, column): numbers as float32, categories as the index of their level."""
        columns = [self._numbers(column, rows) for column in spec.columns]
        return np.stack(columns, axis=1).astype(np.float32)

    def _numbers(self, column: ColumnSpec, rows: Rows) -> NDArray[np.float64]:
        """Return a column as a model was given it in training, even where this table is another.

        Raises:
            DataError: The column is not there, or holds names instead of numbers or the reverse.
        """
        name, levels = column.name, column.levels
        if name not in self.order:
            raise DataError(
                f"{self.source}: the model needs the column '{name}', but the cohort file names "
                f"{', '.join(self.order)}; name it, and leave cells empty where it is not known"
            )
        if levels is not None and name in self.categorical:
            cells = self.categorical[name][rows]
            _refuse_other_spelling(cells, levels, where=f"{self.source}: column '{name}'")
            return _level_index(cells, levels)
        if name in self.numeric and (levels is None or np.isnan(self.numeric[name]).all()):
            return self.numeric[name][rows]
        held, wanted = ("names", "numbers") if levels is None else ("numbers", "names")
        raise DataError(
            f"{self.source}: column '{name}' holds {held}, but the model was trained on {wanted} "
            "there; correct it, or list it under 'categorical' if numbers are names"
        )

    def read(self, row: int, spec: InputSpec) -> Sample | None:
        """Return one subject's row, float32 (column)."""
        if not self.available[row]:
            return None
        values = self.block(np.array([row], dtype=np.int64), spec)[0]
        return Sample(values=torch.from_numpy(values), source=self.source)

    def take(self, rows: Rows) -> TableSource:
        """Return the given subjects."""
        return replace(
            self,
            available=self.available[rows],
            numeric={name: values[rows] for name, values in self.numeric.items()},
            categorical={name: values[rows] for name, values in self.categorical.items()},
        )

    def stamp(self) -> bytes:
        """Return a digest of all subjects' cells."""
        return hashlib.sha256(b"".join(map(self.identity, range(len(self.available))))).digest()

    def identity(self, row: int) -> bytes:
        """Return a digest of the subject's cells."""
        cells = [
            repr(self.categorical[n][row]) if n in self.categorical else repr(self.numeric[n][row])
            for n in self.order
        ]
        return hashlib.sha256("\x1f".join([*self.order, *cells]).encode()).digest()


def open_table(
    config: TableModality, table: TextTable, subject: str, subjects: Sequence[str], modality: str
) -> TableSource:
    """Bring a table into the cohort's order and decide each column's type.

    A column is categorical if it is declared so or if none of its cells is a number.

    Raises:
        DataError: An unknown column, infinite numbers, or a column that mixes numbers and text.
    """
    columns = _chosen_columns(config, table, subject, modality)
    rows = np.arange(len(table))
    if config.file is not None:
        rows = joined_rows(table, subject, subjects, modality)
    numeric: dict[str, NDArray[np.float64]] = {}
    categorical: dict[str, NDArray[np.object_]] = {}
    for name in columns:
        if name in config.categorical or _is_text(table, name, modality):
            cells = table.text(name)
            categorical[name] = np.array([None if r < 0 else cells[r] for r in rows], dtype=object)
        else:
            values, _ = table.numbers(name)
            numeric[name] = np.where(rows < 0, np.nan, values[rows])
            _check_range(numeric[name], subjects, f"{table.source}: column '{name}'")
    return TableSource(table.source, rows >= 0, numeric, categorical, tuple(columns))


def _chosen_columns(
    config: TableModality, table: TextTable, subject: str, modality: str
) -> list[str]:
    if config.columns is not None:
        columns = config.columns
    else:
        for name in config.categorical:
            table.column(name)
        columns = all_columns(table, subject, config.exclude, modality)
    for name in columns:
        if table.column(name).ndim != 1:
            raise DataError(f"{table.source}: column '{name}' holds lists; use kind: vector")
    if not columns:
        raise DataError(f"{table.source}: no columns are left for a table modality")
    return columns


def _is_text(table: TextTable, name: str, modality: str) -> bool:
    values, wrong = table.numbers(name)
    if np.isinf(values).any():
        raise DataError(
            f"{table.source}: column '{name}' holds infinite numbers; leave such cells empty"
        )
    if not wrong.any():
        return False
    if np.isfinite(values).any():
        index = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{table.source}: column '{name}' mixes numbers and text (row {index + 2}: "
            f"'{table.column(name)[index]}'); correct the cell, or list the column under "
            f"modalities.{modality}.categorical if its values are names"
        )
    return True


def _check_range(values: NDArray[np.float64], subjects: Sequence[str], where: str) -> None:
    """Refuse numbers that float32, in which networks compute, turns into infinity."""
    beyond = np.flatnonzero(np.abs(values) > np.finfo(np.float32).max)
    if len(beyond):
        row = int(beyond[0])
        raise DataError(
            f"{where} must hold numbers up to 3.4e38, but subject '{subjects[row]}' has "
            f"{values[row]:g}; correct the cell, or give the column in another unit"
        )


def _levels(cells: NDArray[np.object_]) -> tuple[str, ...]:
    return tuple(sorted({cell for cell in cells if cell is not None}))


def _level_index(cells: NDArray[np.object_], levels: tuple[str, ...]) -> NDArray[np.float64]:
    """Return each level's index, ``len(levels)`` if unseen in training, NaN if missing."""
    order: dict[str | None, float] = {level: float(k) for k, level in enumerate(levels)}
    order[None] = float("nan")
    return np.array([order.get(cell, float(len(levels))) for cell in cells], dtype=np.float64)


def _refuse_other_spelling(
    cells: NDArray[np.object_], levels: tuple[str, ...], *, where: str
) -> None:
    """Refuse a category that is a known one written otherwise, such as 1.0 where it was 1.

    Spreadsheets and data frames write it so once a cell of the column is empty; it would silently
    count as a category that training never saw.
    """
    known = {number: level for level in levels if (number := _as_number(level)) is not None}
    for cell in sorted({cell for cell in cells if cell is not None} - set(levels)):
        number = _as_number(cell)
        if number is not None and (level := known.get(number)) is not None:
            raise DataError(
                f"{where} holds the category '{cell}', which is '{level}' in the training "
                "subjects written otherwise; write both alike"
            )


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
