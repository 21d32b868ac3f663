"""The commands and examples of docs/pruning.md, run as they stand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from survkit.cli import main
from survkit.data import Cohort
from survkit.evaluation import Predictions
from survkit.hub import from_pretrained

PAGE = (Path(__file__).parents[2] / "docs" / "pruning.md").read_text(encoding="utf-8")
MIDDLE = {5, 6, 9, 10}
"""The patches of 4 x 4 that the page's pictures carry the severity in."""

pytestmark = pytest.mark.slow


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the page's commands were run, in one process."""
    folder = tmp_path_factory.mktemp("pruning-page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SURVKIT_CACHE", str(folder / "cache"))
        exec(compile(blocks("python")[0], "docs/pruning.md", "exec"), {})
        for line in blocks("bash")[0].splitlines():
            assert main(shlex.split(line)[1:]) == 0, line
    return folder


def content(folder: Path, place: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / place / "prune.json").read_text())
    return found


def test_the_patches_that_decide_are_kept(folder: Path) -> None:
    """The middle of the generated pictures, found from training subjects by attention alone."""
    tokens = pd.read_csv(folder / "runs/cv/prune/tokens.csv")

    for _, fold in tokens.groupby("fold"):
        first = fold.sort_values("importance", ascending=False)["token"].head(4)
        assert set(first) == MIDDLE
        assert set(fold["token"][fold["keep-0.5"] == 1]) > MIDDLE
        assert fold["keep-0.5"].sum() == 8


def test_the_files_are_those_that_the_page_names(folder: Path) -> None:
    """One folder per row beside the four files."""
    prune = folder / "runs/cv/prune"

    assert {path.name for path in prune.iterdir()} == {
        "prune.json", "prune.csv", "prune.md", "tokens.csv", "full", "threshold-1", "keep-0.5",
    }  # fmt: skip
    assert content(folder, "own")["settings"]["map"] == "subject"
    assert "more per subject and is not among the seconds" in (folder / "own/prune.md").read_text()


def test_a_retrained_model_is_a_model_that_drops_patches(folder: Path) -> None:
    """Loaded from its folder it predicts what its run says, and computes the kept patches alone."""
    run = folder / "retrained/threshold-1-retrained"
    cohort = Cohort.read(folder / "generated/cohort.yaml")
    table = Predictions.read(run / "predictions.parquet")
    tokens = pd.read_csv(folder / "retrained/tokens.csv")
    for number in range(2):
        own = table.select(table.fold == number)
        fitted = from_pretrained(run / f"fold-{number}")
        rows = [cohort.subjects.index(str(name)) for name in own.subject]
        encoder: Any = fitted.members[0].encoders["cxr"]
        said = tokens["threshold-1"][tokens["fold"] == f"fold-{number}"] == 1

        again = fitted.predict(cohort, rows, micro_batch=40).risk_score(table.horizon)

        torch.testing.assert_close(again.double(), torch.from_numpy(own.risk_score[:, 0]))
        assert encoder.network.kept.tolist() == said.tolist()
        assert 0 < said.sum() < 16
    rows_ = content(folder, "retrained")["rows"]
    assert [row["retrained"] for row in rows_] == [False, True]
    exec(compile(blocks("python")[1], "docs/pruning.md", "exec"), {})
