"""Tables as they are written: nothing is guessed, renamed, cast or filled while reading.

A column is float64 with NaN for missing, text with ``None`` for missing, or (row, dim) for
embeddings stored as lists.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.errors import DataError
from survkit.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class TextTable:
    """Columns by name, and where they came from."""

    source: str
    columns: Mapping[str, NDArray[Any]]
    sha256: str

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def column(self, name: str) -> NDArray[Any]:
        """Return a column as it was read.

        Raises:
            DataError: There is none of that name.
        """
        if name not in self.columns:
            raise DataError(
                f"{self.source}: there is no column '{name}'. {did_you_mean(name, self.columns)}"
            )
        return self.columns[name]

    def text(self, name: str) -> NDArray[np.object_]:
        """Return a column as text; ``None`` is missing."""
        column = self.column(name)
        if column.dtype == object:
            return column
        return np.array([_number_text(value) for value in column.tolist()], dtype=object)

    def numbers(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return a column as numbers, NaN elsewhere, and which cells hold something else."""
        column = self.column(name)
        if column.dtype != object:
            return column.astype(np.float64), np.zeros(len(column), dtype=bool)
        values = np.array([_number(cell) for cell in column], dtype=np.float64)
        present = np.array([cell is not None for cell in column], dtype=bool)
        return values, present & np.isnan(values)

    def take(self, rows: NDArray[np.int64]) -> TextTable:
        """Return the given rows, in their order."""
        return TextTable(
            self.source, {name: column[rows] for name, column in self.columns.items()}, self.sha256
        )


def read_table(path: Path, *, missing: Sequence[str]) -> TextTable:
    """Read a CSV (also ``.csv.gz``) or Parquet file.

    Raises:
        DataError: No such file, not such a file, no rows, doubled column names, ragged rows.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        columns = _parquet_columns(content, path)
    elif name.endswith((".csv", ".csv.gz")):
        columns = _csv_columns(content, path, frozenset(missing))
    else:
        raise DataError(f"{path}: a table is a .csv, .csv.gz or .parquet file")
    if not columns or not len(next(iter(columns.values()))):
        raise DataError(f"{path}: the table has no rows")
    return TextTable(str(path), columns, hashlib.sha256(content).hexdigest())


def _csv_columns(
    content: bytes, path: Path, missing: frozenset[str]
) -> dict[str, NDArray[np.object_]]:
    try:
        raw = gzip.decompress(content) if path.suffix.lower() == ".gz" else content
        text = raw.decode("utf-8-sig")
    except (gzip.BadGzipFile, EOFError) as error:
        raise DataError(f"{path}: not a complete gzip file") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise DataError(f"{path}: not a CSV table: {error}") from error
    rows = [row for row in rows if row]
    header = [name.strip() for name in rows[0]] if rows else []
    if len(header) == 1 and ";" in header[0]:
        raise DataError(f"{path}: the columns are separated by semicolons; save it with commas")
    _refuse_doubled(header, path)
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise DataError(
                f"{path}: row {number} has {len(row)} cells, but the header has {len(header)}"
            )
    stripped = ([cell.strip() for cell in row] for row in rows[1:])
    cells = [[None if cell in missing else cell for cell in row] for row in stripped]
    return {
        name: np.array([row[index] for row in cells], dtype=object)
        for index, name in enumerate(header)
    }


def _parquet_columns(content: bytes, path: Path) -> dict[str, NDArray[Any]]:
    import pyarrow.parquet as pq
    from pyarrow.lib import ArrowInvalid

    try:
        table = pq.read_table(io.BytesIO(content))  # type: ignore[no-untyped-call]
    except (ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}") from error
    names = [name for name in table.column_names if not name.startswith("__index_level_")]
    _refuse_doubled(names, path)
    return {name: _arrow_values(table.column(name), f"{path}: column '{name}'") for name in names}


def _arrow_values(column: Any, where: str) -> NDArray[Any]:
    import pyarrow.types as kinds

    kind = column.type
    if kinds.is_dictionary(kind):
        return _arrow_values(column.cast(kind.value_type), where)
    if kinds.is_floating(kind):
        return np.asarray(column.to_numpy(), dtype=np.float64)
    if kinds.is_integer(kind) or kinds.is_boolean(kind):
        values = column.to_pylist()
        if any(value is not None and abs(int(value)) > 2**53 for value in values):
            raise DataError(f"{where} holds integers beyond 2^53; store identifiers as text")
        return np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)
    if kinds.is_string(kind) or kinds.is_large_string(kind):
        return np.array(column.to_pylist(), dtype=object)
    if kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind):
        rows = column.to_pylist()
        lengths = {None if row is None else len(row) for row in rows}
        if len(lengths) != 1 or None in lengths:
            raise DataError(f"{where} holds lists of different lengths or missing ones")
        return np.array(rows, dtype=np.float64)
    raise DataError(f"{where} has type {kind}; numbers, text or lists of numbers are expected")


def _refuse_doubled(names: Sequence[str], path: Path) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DataError(f"{path}: the column '{doubled[0]}' stands twice in the header")


def _number(cell: str | None) -> float:
    """Return the number that a cell spells, NaN for a missing cell or other text."""
    if cell is None or "_" in cell:  # Python reads 1_000 as a number, nobody else does
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _number_text(value: float) -> str | None:
    if value != value:
        return None
    return str(int(value)) if float(value).is_integer() else repr(value)
