"""``survkit evaluate`` and ``survkit report`` from the command line's side."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from survkit.cli import evaluate as evaluate_command
from survkit.cli import report as report_command
from survkit.evaluation.predictions import Predictions


@pytest.fixture
def run(tmp_path: Path) -> Path:
    n = 40
    random = np.random.default_rng(3)
    risk = random.normal(size=(n, 1))
    Predictions(
        subject=np.array([str(number) for number in range(n)]),
        repeat=np.zeros(n, dtype=np.int64),
        fold=np.arange(n) % 2,
        duration=random.exponential(400 * np.exp(-risk[:, 0])) + 1,
        event=(np.arange(n) % 3 > 0).astype(np.int64),
        causes=("death",),
        time_unit="days",
        horizon=300.0,
        time_grid=np.array([100.0, 200.0, 300.0]),
        cumulative_incidence=(1 / (1 + np.exp(-risk)))[:, :, None] * np.array([0.3, 0.6, 0.9]),
        risk_score=risk,
        model="cox",
        splits_hash="abc",
        seed=0,
    ).write(tmp_path / "predictions.parquet")
    return tmp_path


def app(function: object) -> typer.Typer:
    found = typer.Typer()
    found.command()(function)  # type: ignore[type-var]
    return found


def test_evaluate_prints_the_numbers_it_writes(run: Path) -> None:
    """The table's headline is the value in metrics.json, whose path is the last line."""
    result = CliRunner().invoke(app(evaluate_command.command), [str(run), "--replicates", "20"])
    assert result.exit_code == 0, result.exception
    stored = json.loads((run / "metrics.json").read_text())
    headline = stored["causes"]["death"]["metrics"]["harrell_concordance_within_folds"]["pooled"]

    assert f"{headline['value']:.3f}" in result.output
    assert "40 subjects" in " ".join(result.output.split())
    assert stored["settings"]["replicates"] == 20


def test_evaluate_of_a_table_writes_only_where_asked(run: Path, tmp_path: Path) -> None:
    """A bare table prints; --out names the file."""
    table = str(run / "predictions.parquet")
    application = app(evaluate_command.command)
    CliRunner().invoke(application, [table, "--replicates", "0"])
    assert not (run / "metrics.json").exists()

    out = tmp_path / "elsewhere.json"
    CliRunner().invoke(application, [table, "--replicates", "0", "--out", str(out)])
    assert json.loads(out.read_text())["format"] == 1


def test_report_prints_the_path_of_the_page(run: Path) -> None:
    """What is printed is the page."""
    result = CliRunner().invoke(app(report_command.command), [str(run), "--title", "My trial"])

    assert result.exit_code == 0
    page = run / "report.html"
    assert result.output.split() == [str(page)] or "".join(result.output.split()) == str(page)
    assert "<title>My trial</title>" in page.read_text()
