"""The training logs of a run folder, where there are any."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from survkit.errors import RunError

COLUMNS = ("train_loss", "validation_loss", "validation_concordance")
HEALTH = "health/"
"""What columns begin with in which parts of the model say how they fare."""


@dataclass(frozen=True, slots=True)
class LearningLog:
    """One training.

    Attributes:
        name: Its folder inside the run, such as ``fold-0``.
        curves: By column, the epochs at which it has a value and those values.
    """

    name: str
    curves: dict[str, tuple[list[float], list[float]]]


def read_learning_logs(run: Path) -> list[LearningLog]:
    """Read every ``log.csv`` below ``fold-*``. Absent files, columns and values are left out.

    Raises:
        RunError: A file is there and is no table.
    """
    found = [path for fold in sorted(run.glob("fold-*")) for path in sorted(fold.rglob("log.csv"))]
    logs = []
    for path in found:
        try:
            curves = _curves(path)
        except (OSError, ValueError, csv.Error) as error:
            raise RunError(f"{path}: not a training log ({error}); delete it to go on") from error
        logs.append(LearningLog(str(path.parent.relative_to(run)), curves))
    return [log for log in logs if log.curves]


def _curves(path: Path) -> dict[str, tuple[list[float], list[float]]]:
    curves: dict[str, tuple[list[float], list[float]]] = {}
    with path.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            epoch = _number(row.get("epoch"))
            for column in (*COLUMNS, *(name for name in row if str(name).startswith(HEALTH))):
                value = _number(row.get(column))
                if epoch is not None and value is not None:
                    epochs, values = curves.setdefault(column, ([], []))
                    epochs.append(epoch)
                    values.append(value)
    return curves


def _number(text: str | None) -> float | None:
    """A value that the log has at this row; loggers leave cells empty or write nan."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
