"""Run folders that cannot be written or resumed: one line, exit code 2, nothing lost."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from tests.integration.bends import (
    FIT,
    RECV,
    REFIT,
    Bend,
    Row,
    cases,
    check_refusal,
    columns,
    cut,
    text,
)


def checkpoint(content: bytes) -> Bend:
    """Make the run an interrupted one with such a checkpoint."""

    def bend(place: Any) -> None:
        (place / "fitted/training.json").unlink()
        (place / "fitted/checkpoint").mkdir()
        (place / "fitted/checkpoint/last.ckpt").write_bytes(content)

    return bend


RUNS: dict[str, Row] = {
    "a run": (REFIT, None, ("something is there already; give --overwrite", "--resume")),
    "a file": (FIT.replace("--out r", "--out patients.csv"), None, ("something is there",)),
    "below a file": (
        FIT.replace("--out r", "--out patients.csv/r"),
        None,
        ("patients.csv/r: cannot be written: Not a directory",),
    ),
    "no folder for files": (FIT.replace("--out r", "--out /proc/r"), None, ("cannot be written",)),
    "a thesis": (
        FIT.replace("--out r", "--out thesis --overwrite"),
        lambda p: [(p / "thesis").mkdir(), (p / "thesis/a.txt").write_text("years of work")],
        ("thesis: is not a run of survkit, so it is not overwritten",),
    ),
    "both": (REFIT + " --resume --overwrite", None, ("--overwrite or --resume, not both",)),
    "nothing to resume": (FIT + " --resume", None, ("no interrupted run to resume",)),
    "another recipe": (
        REFIT + " --resume --set training.epochs=7",
        None,
        ("another recipe (training.epochs: 2, now 7)",),
    ),
    "another seed": (REFIT + " --resume --seed 5", None, ("(training.seed: 0, now 5)",)),
    "another cohort": (
        REFIT + " --resume",
        columns(age=lambda t: t["age"] + 1),
        ("had another cohort; start anew with --overwrite",),
    ),
    "another command": (
        FIT.replace("--out r", "--out cv --resume"),
        None,
        ("cv: is a run of survkit cv, not of survkit fit",),
    ),
    "other folds": (RECV + " --resume --folds 4", None, ("had another splits",)),
    "run.json": (REFIT + " --resume", cut("fitted/run.json"), ("run.json: damaged",)),
    "run.json a list": (REFIT + " --resume", text("fitted/run.json", "[]"), ("run.json: damaged",)),
    "training.json": (
        REFIT + " --resume",
        cut("fitted/training.json"),
        ("training.json: damaged", "delete the file to train this part again"),
    ),
    "fold's table": (
        RECV + " --resume",
        cut("cv/fold-1/predictions.parquet"),
        ("cv/fold-1/predictions.parquet: not a readable Parquet file",),
    ),
    "fold's weights": (
        RECV + " --resume",
        cut("cv/fold-1/model.safetensors"),
        ("altered or cut off",),
    ),
    "empty checkpoint": (REFIT + " --resume", checkpoint(b""), ("not a whole checkpoint; delete",)),
    "torn checkpoint": (REFIT + " --resume", checkpoint(b"PK\x03\x04x"), ("not a whole",)),
    "code in a checkpoint": (
        REFIT + " --resume",
        checkpoint(pickle.dumps(print)),
        ("last.ckpt: not a whole checkpoint",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", cases("run folder", RUNS))
def test_a_bad_input_is_one_line_and_exit_code_2(
    row: Row, place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what is wrong; no file is changed, lost, or left behind."""
    check_refusal(row, place, capsys)
