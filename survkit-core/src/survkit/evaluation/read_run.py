"""Predictions from wherever they lie: a run folder, a table of survkit, anybody's table."""

from __future__ import annotations

from pathlib import Path

from survkit.errors import ConfigError, DataError
from survkit.evaluation.foreign_table import read_foreign_table
from survkit.evaluation.predictions import Predictions
from survkit.evaluation.predictions_file import is_somebody_elses

PREDICTIONS_FILE = "predictions.parquet"


def read_run(
    path: str | Path, *, horizon: float | None = None, unit: str | None = None
) -> Predictions:
    """Read a predictions table from its file or from the run folder that holds it.

    Args:
        path: A run folder, a ``predictions.parquet`` of survkit, or anybody's table (.csv or
            .parquet) with the columns of :mod:`survkit.evaluation.foreign_table`.
        horizon: The time up to which statements are made, where a table does not say it.
        unit: Unit of time, where a table does not say it.

    Raises:
        DataError: There is none, or it is impossible.
        ConfigError: Horizon or unit are given for a table that says others.
    """
    path = Path(path)
    if path.is_dir() and not (path / PREDICTIONS_FILE).is_file():
        raise DataError(f"{path} has no {PREDICTIONS_FILE}; give a run folder that has finished")
    file = path / PREDICTIONS_FILE if path.is_dir() else path
    if not path.is_dir() and is_foreign(file):
        return read_foreign_table(file, horizon=horizon, unit=unit)
    table = Predictions.read(file)
    check_stated(table, horizon, unit, where=str(file))
    return table


def check_stated(
    table: Predictions, horizon: float | None, unit: str | None, *, where: str
) -> None:
    """Refuse a horizon or unit other than what the table says.

    Raises:
        ConfigError: It says another.
    """
    for name, asked, own in (
        ("horizon", horizon, table.horizon),
        ("unit", unit, table.time_unit),
    ):
        if asked is not None and asked != own:
            raise ConfigError(f"{where} says that its {name} is {own}, not {asked}; leave it out")


def is_foreign(path: Path) -> bool:
    """Say whether a file is a table that survkit did not write: a CSV, or a Parquet file of other
    facts.
    """
    name = path.name.lower()
    if name.endswith((".csv", ".csv.gz")):
        return True
    return name.endswith((".parquet", ".pq")) and path.is_file() and is_somebody_elses(path)
