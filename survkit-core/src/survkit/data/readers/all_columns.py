"""The columns of a table of its own that are meant where none is named: all but a few."""

from __future__ import annotations

from collections.abc import Sequence

from survkit.data.text_table import TextTable
from survkit.errors import DataError

PLACE = ("row", "column")
"""Columns that say which patch of a picture a row is, counted from 0 at the top left."""


def all_columns(table: TextTable, subject: str, exclude: Sequence[str], modality: str) -> list[str]:
    """Return all columns but the subject's and the excluded ones.

    Raises:
        DataError: A column to exclude is not there, or places of patches would be features: a table
            of patches has them, and nobody who named no column asked for them.
    """
    for name in exclude:
        table.column(name)
    columns = [name for name in table.columns if name not in (subject, *exclude)]
    if set(PLACE) <= set(columns):
        raise DataError(
            f"{table.source}: its columns 'row' and 'column' say where a patch lies and would be "
            f"read as features; leave them out by modalities.{modality}.exclude: [row, column], or "
            "name what is meant under columns"
        )
    return columns
