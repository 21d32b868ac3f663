"""``survkit compare`` from the command line's side."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from survkit.cli import main
from survkit.evaluation.predictions import Predictions


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three run folders of one cohort: the truth, and two that see it through noise."""
    n = 60
    random = np.random.default_rng(3)
    risk = random.normal(size=(n, 1))
    duration = random.exponential(400 * np.exp(-2 * risk[:, 0])) + 1
    event = (np.arange(n) % 4 > 0).astype(np.int64)
    for name, noise in (("good", 0.0), ("poor", 3.0), ("worse", 6.0)):
        seen = risk + random.normal(0, noise, (n, 1))
        (tmp_path / name).mkdir()
        Predictions(
            subject=np.array([f"s{number}" for number in range(n)]),
            repeat=np.zeros(n, dtype=np.int64),
            fold=np.arange(n) % 2,
            duration=duration,
            event=event,
            causes=("death",),
            time_unit="days",
            horizon=300.0,
            time_grid=np.array([100.0, 200.0, 300.0]),
            cumulative_incidence=(1 / (1 + np.exp(-seen)))[:, :, None] * np.array([0.3, 0.6, 0.9]),
            risk_score=seen,
            model="cox",
            splits_hash="abc",
            seed=0,
        ).write(tmp_path / name / "predictions.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


FAST = ("--permutations", "500", "--replicates", "50")


def test_it_prints_the_numbers_it_writes(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Values, difference, p-values, verdict and the subjects, in the table and in the file."""
    assert main(["compare", "good", "poor", "--metric", "harrell", "--out", "new/out", *FAST]) == 0
    output = capsys.readouterr().out
    stored = json.loads((runs / "new/out/comparison.json").read_text())
    metric = stored["metrics"]["harrell_concordance_within_folds"]
    pair = metric["pairs"][0]

    assert f"good: {metric['values']['good']['value']:.3f}" in output
    assert f"{pair['difference']['value']:+.3f}" in output
    assert f"{pair['p_holm']:.4f}" in output
    assert "good – poor: good is better than poor" in output
    assert f"{pair['influential'][0]['share']:+.4f}" in output
    assert output.rstrip().endswith("comparison.csv")
    assert (runs / "new/out/comparison.csv").is_file()


def test_names_can_be_given_and_tables_stand_for_their_run(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table in a run folder is called after the folder, NAME=RUN as it says."""
    (runs / "bare.parquet").write_bytes((runs / "worse/predictions.parquet").read_bytes())
    words = ["compare", "truth=good", "poor/predictions.parquet", "bare.parquet"]
    assert main([*words, "--metric", "antolini", *FAST]) == 0
    output = capsys.readouterr().out

    assert "truth – poor" in output
    assert "truth – bare" in output


def test_a_margin_is_judged_against_the_reference(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bound is shown beside the verdict."""
    words = ["compare", "good", "poor", "--metric", "harrell", "--reference", "good"]
    assert main([*words, "--margin", "0.02", *FAST]) == 0
    output = capsys.readouterr().out

    assert "poor may be worse than good by 0.02 or more" in output
    assert "worse with 97.5% confidence" in output


def test_what_is_undefined_says_why(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No number, no verdict, a reason."""
    for name in ("good", "poor"):
        path = runs / name / "predictions.parquet"
        table = Predictions.read(path)
        table.select(table.event == 0).write(path)
    assert main(["compare", "good", "poor", "--metric", "harrell", *FAST]) == 0

    assert "good – poor: not defined; nobody has the event" in capsys.readouterr().out


def test_anybodys_tables_are_compared(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two CSV files with risk scores give the same difference as the runs they were taken from."""
    for name in ("good", "poor"):
        table = Predictions.read(runs / name / "predictions.parquet")
        rows = ["subject,fold,duration,event,risk_score"]
        rows += [
            f"{subject},{fold},{duration!r},{event},{score!r}"
            for subject, fold, duration, event, score in zip(
                table.subject.tolist(), table.fold.tolist(), table.duration.tolist(),
                table.event.tolist(), table.risk_score[:, 0].tolist(), strict=True,
            )
        ]  # fmt: skip
        Path(f"{name}.csv").write_text("\n".join(rows) + "\n")
    told = ["--horizon", f"{table.horizon!r}", "--time-unit", table.time_unit]
    words = ["--metric", "harrell", *FAST]

    assert main(["compare", "good", "poor", *words]) == 0
    ours = [line for line in capsys.readouterr().out.splitlines() if line.startswith("good – poor")]
    assert main(["compare", "good.csv", "poor.csv", *told, *words]) == 0
    theirs = capsys.readouterr().out.splitlines()
    assert ours
    assert [line for line in theirs if line.startswith("good – poor")] == ours
    assert main(["compare", "good.csv", "poor.csv", *words]) == 2
    assert "--time-unit days" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["good"], "two models at least, not 1"),
        (["good", "./good"], "two runs are named 'good', good and good; give them names"),
        (["good", "missing"], "missing: there is no such predictions table"),
        (["good", "poor", "--metric", "cindex"], "no metric to compare by is named 'cindex'"),
        (["good", "poor", "--margin", "0.1"], "name the reference too"),
        (["good", "poor", "--unit", "scan"], "unit must be 'subject' or 'group' or 'site'"),
        (["=good", "poor"], "'=good' gives a run no name"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_two(
    runs: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    """No traceback for a slip."""
    assert main(["compare", *words]) == 2
    error = capsys.readouterr().err

    assert message in error
    assert "Traceback" not in error
