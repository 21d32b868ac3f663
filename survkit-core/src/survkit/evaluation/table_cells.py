"""Cells of somebody's table as checked arrays: every cell has a value of the right kind, or the
first that has not is named with its row.

Rows are counted as a spreadsheet shows them: the header is row 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from survkit.errors import DataError
from survkit.evaluation.predictions import Floats, Integers, Texts

if TYPE_CHECKING:
    from survkit.data.text_table import TextTable

MISSING = ("", "NA", "N/A", "NaN", "NULL", "nan", "null")


def read_cells(path: Path) -> TextTable:
    """Read a CSV or Parquet file without guessing anything.

    Raises:
        DataError: No such file, not such a file, no rows, doubled column names, ragged rows.
    """
    from survkit.data.text_table import read_table

    return read_table(path, missing=MISSING)


def texts(table: TextTable, name: str) -> Texts:
    """Return a column of names; none may be missing."""
    cells = table.text(name)
    _refuse(table, name, np.array([cell is None for cell in cells], dtype=bool), "a name")
    return np.array(cells.tolist(), dtype=np.str_)


def numbers(table: TextTable, name: str) -> Floats:
    """Return a column of finite numbers."""
    values, _ = table.numbers(name)
    if values.ndim != 1:
        raise DataError(f"{table.source}: column '{name}' must hold one number per row, not lists")
    _refuse(table, name, ~np.isfinite(values), "a finite number")
    return values


def whole_numbers(table: TextTable, name: str, *, most: int | None = None) -> Integers:
    """Return a column of whole numbers from 0, to ``most`` where it is given."""
    values = numbers(table, name)
    wrong = (values != np.floor(values)) | (values < 0)
    expected = "a whole number from 0"
    if most is not None:
        wrong |= values > most
        expected += f" to {most}"
    _refuse(table, name, wrong, expected)
    return values.astype(np.int64)


def positive_numbers(table: TextTable, name: str) -> Floats:
    """Return a column of numbers above 0."""
    values = numbers(table, name)
    _refuse(table, name, values <= 0, "a number above 0")
    return values


def codes(table: TextTable, name: str) -> Integers:
    """Return the number of each row's group among the sorted names."""
    return np.unique(texts(table, name), return_inverse=True)[1].astype(np.int64)


def _refuse(table: TextTable, name: str, wrong: NDArray[np.bool_], expected: str) -> None:
    if not wrong.any():
        return
    index = int(np.flatnonzero(wrong)[0])
    cell = table.text(name)[index]
    found = "is empty" if cell is None else f"holds {cell!r}"
    raise DataError(
        f"{table.source}: column '{name}' must hold {expected} in every row, but row {index + 2} "
        f"{found} ({int(wrong.sum())} such rows)"
    )
