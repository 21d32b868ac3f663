"""Training subjects that a table of predictions does not hold, as a file beside it.

Columns ``duration`` and ``event`` (0 for censored, codes as in the predictions), optionally
``weight``, and ``repeat`` where the subjects differ by repeat. Metrics that weigh by censoring need
them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch

from survkit.atomic_write import write_bytes
from survkit.errors import DataError
from survkit.evaluation import table_cells as cells
from survkit.flow import SurvivalTarget

TRAINING_FILE = "training.csv"
"""In a run folder whose repeats have one test part each."""


def read_training(path: str | Path, *, causes: int) -> SurvivalTarget | dict[int, SurvivalTarget]:
    """Read the training subjects, by repeat where the file has such a column.

    Args:
        path: A .csv or .parquet file.
        causes: How many causes the predictions have.

    Raises:
        DataError: A column is missing or holds what it cannot, or subjects entered late.
    """
    table = cells.read_cells(Path(path))
    if "entry" in table.columns:
        raise DataError(
            f"{path}: there is a column 'entry', but the censoring distribution under delayed "
            "entry is not identified from durations alone; leave it out only if nobody entered late"
        )
    duration = cells.positive_numbers(table, "duration")
    event = cells.whole_numbers(table, "event", most=causes)
    weight = cells.positive_numbers(table, "weight") if "weight" in table.columns else None

    def target(rows: np.ndarray) -> SurvivalTarget:
        return SurvivalTarget(
            torch.from_numpy(duration[rows]),
            torch.from_numpy(event[rows]),
            weight=None if weight is None else torch.from_numpy(weight[rows]),
        )

    if "repeat" not in table.columns:
        return target(np.ones(len(table), dtype=bool))
    repeat = cells.whole_numbers(table, "repeat")
    return {int(number): target(repeat == number) for number in np.unique(repeat)}


def refuse_shared_subjects(path: str | Path, subjects: Iterable[str]) -> None:
    """Refuse training subjects who are evaluated too; where the file does not name them, nothing
    can be said.

    Raises:
        DataError: With the first of them.
    """
    table = cells.read_cells(Path(path))
    if "subject" not in table.columns:
        return
    shared = sorted(set(cells.texts(table, "subject").tolist()) & set(subjects))
    if shared:
        raise DataError(
            f"{path}: subject {shared[0]} is among the evaluated subjects ({len(shared)} such "
            "subjects); censoring is estimated on training subjects, so give those alone"
        )


def write_training(training: Mapping[int, SurvivalTarget], path: Path) -> Path:
    """Write training subjects by repeat, so that :func:`read_training` gives back every digit."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    weighted = any(one.weight is not None for one in training.values())
    writer.writerow(["repeat", "duration", "event", *(["weight"] if weighted else [])])
    for repeat, target in sorted(training.items()):
        columns = [target.duration.tolist(), target.event.tolist()]
        if target.weight is not None:
            columns.append(target.weight.tolist())
        writer.writerows([repeat, *row] for row in zip(*columns, strict=True))
    return write_bytes(path, text.getvalue().encode())
