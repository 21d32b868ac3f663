"""One thing that is wrong with a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from survkit.errors import DataError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a cohort.

    Attributes:
        row: Row of the table as a spreadsheet shows it: the header is row 1. ``None`` if it
            concerns the whole table.
        subject: Identifier in that row.
        column: Column or modality concerned.
        message: What was expected and what came.
        severity: Errors stop everything; warnings are to be looked at.
    """

    row: int | None
    subject: str | None
    column: str | None
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """The problem in one line."""
        where = [] if self.row is None else [f"row {self.row}"]
        where += [] if self.subject is None else [f"subject '{self.subject}'"]
        where += [] if self.column is None else [f"'{self.column}'"]
        return f"{', '.join(where)}: {self.message}" if where else self.message


def spreadsheet_row(index: int) -> int:
    """Return the number that a spreadsheet shows for the subject at an index."""
    return int(index) + 2


def refuse(problems: Sequence[Problem], *, source: str) -> None:
    """Raise the first error among the problems, saying how many there are.

    Raises:
        DataError: There is an error.
    """
    errors = [problem for problem in problems if problem.severity == "error"]
    if not errors:
        return
    rest = f" (and {len(errors) - 1} more; `survkit cohort check` lists all)" if errors[1:] else ""
    raise DataError(f"{source}: {errors[0]}{rest}")
