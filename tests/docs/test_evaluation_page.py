"""The commands and the example of docs/evaluation.md, run as they stand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from survkit.cli import main
from survkit.evaluation.predictions import Predictions

PAGE = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the one code block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    return found


def predictions(n: int, seed: int) -> Predictions:
    """Five years of follow-up at three sites."""
    random = np.random.default_rng(seed)
    log_rate = random.normal(0, 0.7, n)
    times = random.exponential(1800 * np.exp(-log_rate))
    censored = random.uniform(300, 3500, n)
    grid = np.linspace(365, 1825, 5)
    return Predictions(
        subject=np.array([f"s{number}" for number in range(n)]),
        repeat=np.zeros(n, dtype=np.int64),
        fold=np.arange(n) % 2,
        duration=np.minimum(times, censored),
        event=(times <= censored).astype(np.int64),
        causes=("event",),
        time_unit="days",
        horizon=1825.0,
        time_grid=grid,
        cumulative_incidence=1 - np.exp(-np.exp(log_rate)[:, None, None] * grid / 1800),
        risk_score=log_rate[:, None],
        model="page",
        splits_hash="",
        seed=0,
        site=np.array(["a", "b", "c"])[np.arange(n) % 3],
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the page speaks of."""
    (tmp_path / "runs/cv").mkdir(parents=True)
    predictions(60, 0).write(tmp_path / "runs/cv/predictions.parquet")
    for name, seed in (("table", 1), ("train", 2)):
        table = predictions(60, seed)
        named = [f"{name}-{subject}" for subject in table.subject]
        columns = {"subject": named, "duration": table.duration, "event": table.event}
        columns |= {"risk_score": table.risk_score[:, 0]}
        for step, time in enumerate(table.time_grid):
            columns[f"survival@{time:g}"] = 1 - table.cumulative_incidence[:, 0, step]  # type: ignore[index]
        pd.DataFrame(columns).to_csv(tmp_path / f"{name}.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_write_what_the_page_says(folder: Path) -> None:
    """metrics.json of the run, and a file beside the table."""
    for line in block("bash").splitlines():
        assert line.startswith("survkit ")
        assert main(shlex.split(line)[1:]) == 0, line
    settings = json.loads((folder / "runs/cv/metrics.json").read_text())["settings"]

    assert (settings["interval"], settings["cluster"]) == ("jackknife", "site")
    assert json.loads((folder / "table.metrics.json").read_text())["horizon"] == 1825


def test_the_example_prints_every_metric(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Values with intervals, of the run and of the table."""
    exec(compile(block("python"), "docs/evaluation.md", "exec"), {})
    printed = capsys.readouterr().out

    assert "Interval(lower=0." in printed
    assert "integrated_scaled_brier_score Estimate(value=" in printed
    assert "Undefined" not in printed
