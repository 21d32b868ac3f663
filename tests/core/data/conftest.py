"""A small cohort on disk that tests bend."""

from __future__ import annotations

import copy
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.core.data.painted_petct import petct  # noqa: F401 - the fixture

from survkit.data.cohort import Cohort

Row = dict[str, str]
CONFIG: dict[str, Any] = {
    "name": "small",
    "table": "patients.csv",
    "subject": "patient_id",
    "outcome": {
        "duration": "time_days",
        "unit": "days",
        "event": "event",
        "causes": {1: "tumour", 2: "other"},
    },
    "modalities": {"clinical": {"kind": "table", "columns": ["age", "stage"]}},
}


def small_rows(count: int = 24) -> list[Row]:
    """Return subjects with durations 100, 110, …, events 0, 1, 2, 0, … and two columns."""
    return [
        {
            "patient_id": f"{k:03d}",
            "time_days": str(100 + 10 * k),
            "event": str(k % 3),
            "site": "ABCD"[k % 4],
            "age": str(50 + k),
            "stage": ["I", "II", "III"][k % 3],
        }
        for k in range(count)
    ]


class CohortFolder:
    """A cohort file and its table, written anew after every change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = copy.deepcopy(CONFIG)
        self.rows = small_rows()

    @property
    def path(self) -> Path:
        return self.folder / "cohort.yaml"

    def write(self) -> Path:
        self.path.write_text(yaml.safe_dump(self.config, sort_keys=False))
        self.write_rows("patients.csv", self.rows)
        return self.path

    def write_rows(self, name: str, rows: list[Row]) -> None:
        with (self.folder / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    def read(self, **settings: Any) -> Cohort:
        return Cohort.read(self.write(), **settings)


@pytest.fixture
def small(tmp_path: Path) -> CohortFolder:
    return CohortFolder(tmp_path)


@pytest.fixture
def bend(small: CohortFolder) -> Callable[..., CohortFolder]:
    """Return a function that changes one cell of the table by row and column."""

    def change(row: int, **cells: str) -> CohortFolder:
        small.rows[row].update(cells)
        return small

    return change
