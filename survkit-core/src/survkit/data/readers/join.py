"""Which row of a second table belongs to which subject of the cohort."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from survkit.data.text_table import TextTable
from survkit.errors import DataError


def joined_rows(
    table: TextTable, subject: str, subjects: Sequence[str], modality: str
) -> NDArray[np.int64]:
    """Return for every subject its row in the table, -1 where it has none.

    Raises:
        DataError: A subject has several rows, or no row belongs to any subject of the cohort.
    """
    row_of: dict[str, int] = {}
    for row, name in enumerate(subject_column(table, subject)):
        if name in row_of:
            raise DataError(
                f"{table.source}: subject '{name}' has more than one row "
                f"({row_of[name] + 2} and {row + 2}); keep one, or use kind: vector with "
                "tokens: true"
            )
        row_of[name] = row
    refuse_strangers(row_of, subjects, table.source, modality)
    return np.array([row_of.get(name, -1) for name in subjects], dtype=np.int64)


def subject_column(table: TextTable, subject: str) -> list[str]:
    """Return the subject of every row.

    Raises:
        DataError: The identifier is missing in a row.
    """
    names = table.text(subject)
    for row, name in enumerate(names):
        if name is None:
            raise DataError(f"{table.source}: row {row + 2} has no '{subject}'")
    return [str(name) for name in names]


def refuse_strangers(
    found: Sequence[str] | dict[str, int], subjects: Sequence[str], source: str, modality: str
) -> None:
    """Refuse a file without any subject of the cohort: identifiers are written differently.

    Raises:
        DataError: Nothing in common.
    """
    if not set(found) & set(subjects):
        example = next(iter(found), "nothing")
        raise DataError(
            f"{source}: none of its {len(found)} subjects (such as '{example}') is in the cohort "
            f"(such as '{subjects[0]}'), so nobody would have {modality}"
        )
