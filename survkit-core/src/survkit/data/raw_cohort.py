"""A cohort file and its table before anything in the table is believed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from survkit.data.cohort_config import CohortConfig, read_cohort_config
from survkit.data.named_path import named_path
from survkit.data.outcome import Outcome, read_outcome
from survkit.data.problem import Problem, spreadsheet_row
from survkit.data.text_table import TextTable, read_table


@dataclass(frozen=True, slots=True)
class RawCohort:
    """A valid cohort file, and a table that has the columns it names.

    Attributes:
        path: The cohort file.
        config: Its content.
        folder: What every relative path is relative to, in the cohort file and in cells.
        table: The cohort's table.
        needs_outcome: Whether the outcome columns must be there; not for subjects yet to be
            predicted.
    """

    path: Path
    config: CohortConfig
    folder: Path
    table: TextTable
    needs_outcome: bool = True

    def file(self, name: str) -> Path:
        """Return the path of a file that the cohort file names."""
        return named_path(self.folder, name)

    def subjects(self) -> list[str | None]:
        """Return the identifier of every row, ``None`` where it is missing."""
        return list(self.table.text(self.config.subject))

    def cells(self, column: str | None) -> tuple[str, ...] | None:
        """Return a column without missing cells as text; ``None`` where it is not declared."""
        return None if column is None else tuple(str(cell) for cell in self.table.text(column))


def read_raw_cohort(
    path: str | Path,
    *,
    table: str | Path | None = None,
    data_folder: str | Path | None = None,
    needs_outcome: bool = True,
) -> RawCohort:
    """Read the cohort file and its table.

    Raises:
        ConfigError: The cohort file is wrong.
        DataError: The table cannot be read or lacks a column.
    """
    path = Path(path)
    config = read_cohort_config(path)
    folder = path.parent if data_folder is None else Path(data_folder)
    source = named_path(folder, config.table) if table is None else Path(table)
    raw = RawCohort(path, config, folder, read_table(source, missing=config.missing), needs_outcome)
    outcome = config.outcome
    wanted = [config.subject, config.site, config.group]
    if needs_outcome:
        wanted += [outcome.duration, outcome.event, outcome.entry, outcome.weight, config.strata]
    for name in wanted:
        if name is not None:
            raw.table.column(name)
    return raw


def subject_problems(raw: RawCohort) -> list[Problem]:
    """Return missing and doubled subjects, missing sites, groups and strata."""
    problems = []
    first: dict[str, int] = {}
    for index, name in enumerate(raw.subjects()):
        if name is None:
            problems.append(
                Problem(spreadsheet_row(index), None, raw.config.subject, "the subject is missing")
            )
        elif name in first:
            earlier = spreadsheet_row(first[name])
            message = f"the subject stands already in row {earlier}; one row per subject"
            problems.append(Problem(spreadsheet_row(index), name, raw.config.subject, message))
        else:
            first[name] = index
    strata = raw.config.strata if raw.needs_outcome else None
    for column in (raw.config.site, raw.config.group, strata):
        cells: list[str | None] = [] if column is None else list(raw.table.text(column))
        problems += [
            Problem(
                spreadsheet_row(index), raw.subjects()[index], column, f"the {column} is missing"
            )
            for index, cell in enumerate(cells)
            if cell is None
        ]
    return problems


def outcome_problems(raw: RawCohort) -> tuple[Outcome, list[Problem]]:
    """Read the outcome; the problems include a cohort without any event."""
    outcome, problems = read_outcome(
        raw.table, raw.config.outcome, raw.subjects(), raw.config.strata
    )
    errors = [problem for problem in problems if problem.severity == "error"]
    if not errors and not np.any(outcome.event > 0):
        censored = int((outcome.event == 0).sum())
        message = f"no subject has an event: all {censored} are censored"
        problems.append(Problem(None, None, raw.config.outcome.event, message))
    return outcome, problems
