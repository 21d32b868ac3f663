"""Predictions that cannot be evaluated or reported: one line, exit code 2, nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.bends import (
    Bend,
    Row,
    cases,
    check_refusal,
    cut,
    data,
    text,
)


def predictions(change: Callable[[Any], Any]) -> Bend:
    """Bend the out-of-fold table."""

    def bend(place: Any) -> None:
        import pyarrow.parquet as parquet

        path = place / "cv/predictions.parquet"
        parquet.write_table(change(parquet.read_table(path)), path)

    return bend


def facts(**changes: Any) -> Bend:
    """Replace facts in the metadata of the out-of-fold table."""

    def change(table: Any) -> Any:
        stated = json.loads(table.schema.metadata[b"survkit.predictions"]) | changes
        return table.replace_schema_metadata({"survkit.predictions": json.dumps(stated)})

    return predictions(change)


def twice(table: Any) -> Any:
    import pyarrow

    return pyarrow.concat_tables([table, table])


EVALUATIONS: dict[str, Row] = {
    "no run": ("evaluate nowhere", None, ("no such predictions table", "survkit cv")),
    "a model": ("evaluate fitted", None, ("fitted has no predictions.parquet",)),
    "a CSV": ("evaluate patients.csv", None, ("there is no column 'risk_score'", "higher means")),
    "cut": ("evaluate cv", cut("cv/predictions.parquet"), ("not a readable Parquet file",)),
    "level": ("evaluate cv --level 1.5", None, ("level between 0 and 1",)),
    "replicates": ("evaluate cv --replicates -1", None, ("'--replicates'",)),
    "out": (
        "evaluate cv --replicates 0 --out no/m.json",
        None,
        ("no: there is no such folder; make it first",),
    ),
    "out a folder": (
        "evaluate cv --replicates 0 --out fitted",
        None,
        ("fitted is a folder; give a file",),
    ),
    "column": (
        "evaluate cv",
        predictions(lambda table: table.drop_columns(["duration"])),
        ("the column duration is missing",),
    ),
    "no facts": (
        "evaluate cv",
        predictions(lambda table: table.replace_schema_metadata({})),
        ("a Parquet file, but not of predictions",),
    ),
    "newer": ("evaluate cv", facts(format=9), ("format 1 were expected, not 9; update survkit",)),
    "other cause": ("evaluate cv", facts(causes=["x"]), ("the column risk_score.x is missing",)),
    "text in the grid": ("evaluate cv", facts(time_grid=["a"]), ("need a usable time_grid",)),
    "horizon": ("evaluate cv", facts(horizon=10), ("must end at the horizon 10, not at 300",)),
    "twice": ("evaluate cv", predictions(twice), ("may appear once in a repeat",)),
    "report of nothing": ("report nowhere", None, ("nowhere is no run folder",)),
    "report of a model": ("report fitted", None, ("no predictions.parquet",)),
    "report without a run": ("report", None, ("Missing argument", "survkit report --help")),
    "recipe": ("report cv", text("cv/recipe.yaml", "a: ["), ("cv/recipe.yaml: damaged",)),
    "metrics": ("report cv", cut("cv/metrics.json"), ("metrics.json: damaged", "delete it")),
    "metrics without causes": (
        "report cv",
        data("cv/metrics.json", lambda content: content.update(causes={})),
        ("metrics.json: damaged", "delete it to compute it anew"),
    ),
    "choices": ("report cv", text("cv/choices.json", "{"), ("cv/choices.json: damaged",)),
    "log": (
        "report cv",
        text("cv/fold-0/log.csv", b"\xff\xfe\x00"),
        ("fold-0/log.csv: not a training log", "delete it"),
    ),
}


@pytest.mark.parametrize("row", cases("evaluation", EVALUATIONS))
def test_a_bad_input_is_one_line_and_exit_code_2(
    row: Row, place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what is wrong; no file is changed, lost, or left behind."""
    check_refusal(row, place, capsys)
