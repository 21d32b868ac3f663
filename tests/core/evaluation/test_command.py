"""``survkit evaluate`` of anybody's table, from the command line's side."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from survkit.cli import main
from survkit.evaluation.metric_names import GROUPS, METRICS
from survkit.evaluation.predictions import Predictions

MakeTable = Callable[..., Predictions]


@pytest.fixture
def folder(make_table: MakeTable, tmp_path: Path) -> Path:
    """A held-out table and the table of its training subjects."""
    for name, table in (("table", make_table(folds=1)), ("train", make_table(120, seed=4))):
        named = [f"{name}-{subject}" for subject in table.subject]
        columns = {"subject": named, "duration": table.duration, "event": table.event}
        columns["risk_score"] = table.risk_score[:, 0]
        columns["survival@600"] = 1 - table.cumulative_incidence[:, 0, -1]  # type: ignore[index]
        columns["survival@300"] = 1 - table.cumulative_incidence[:, 0, 4]  # type: ignore[index]
        pd.DataFrame(columns).to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def arguments(folder: Path, *others: str) -> list[str]:
    given = ["evaluate", str(folder / "table.csv"), "--unit", "days", "--replicates", "20"]
    return [*given, *others]


def test_a_foreign_table_is_evaluated_beside_itself(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table is grouped, says what is not defined and why, and the file lies beside it."""
    assert main(arguments(folder, "--horizon", "600")) == 0
    printed = " ".join(capsys.readouterr().out.split())
    stored = json.loads((folder / "table.metrics.json").read_text())
    headline = stored["causes"]["event"]["metrics"]["harrell_concordance_within_folds"]["pooled"]

    assert all(group in printed for group in GROUPS)
    assert f"{headline['value']:.3f}" in printed
    assert "give them as training=" in printed
    assert "Log-rank test: p" in printed
    assert stored["horizon"] == 600


def test_training_subjects_make_everything_defined(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --training nothing but what the folds say is missing."""
    given = arguments(folder, "--training", str(folder / "train.csv"), "--interval", "jackknife")
    assert main([*given, "--out", str(folder / "numbers.json")]) == 0
    assert "not defined" not in capsys.readouterr().out
    stored = json.loads((folder / "numbers.json").read_text())
    metrics = stored["causes"]["event"]["metrics"]

    assert not (folder / "table.metrics.json").exists()
    assert stored["settings"]["interval"] == "jackknife"
    assert all(metrics[item.key]["pooled"]["interval"] for item in METRICS)


def test_numbers_are_replaced_only_when_asked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An existing file stays, with one line that says so."""
    assert main(arguments(folder)) == 0
    before = (folder / "table.metrics.json").read_bytes()
    assert main(arguments(folder, "--seed", "1")) == 2
    assert "is there already; give --overwrite" in capsys.readouterr().err
    assert (folder / "table.metrics.json").read_bytes() == before

    assert main(arguments(folder, "--seed", "1", "--overwrite")) == 0
    assert (folder / "table.metrics.json").read_bytes() != before


def test_json_is_all_that_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The output is the content of the file."""
    assert main(arguments(folder, "--json")) == 0

    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((folder / "table.metrics.json").read_text())


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (["--horizon", "500"], "the horizon 500 is none of the times"),
        (["--cluster", "site"], "need a column site with two sites"),
        (["--interval", "exact"], "interval must be 'bootstrap' or 'jackknife'"),
        (["--training", "none.csv"], "there is no such file"),
    ],
)
def test_what_cannot_be_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], others: list[str], message: str
) -> None:
    """Exit code 2, one sentence, no file."""
    assert main(arguments(folder, *others)) == 2
    error = capsys.readouterr().err

    assert message in " ".join(error.split())
    assert not (folder / "table.metrics.json").exists()
