"""The commands and examples of docs/explain.md, run as they stand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from survkit.cli import main
from survkit.training.attention_file import MOST_TOKENS

PAGE = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the page's commands were run, in one process."""
    folder = tmp_path_factory.mktemp("explain-page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SURVKIT_CACHE", str(folder / "cache"))
        for line in blocks("bash")[0].splitlines():
            assert main(shlex.split(line)[1:]) == 0, line
    return folder


def test_the_commands_write_what_the_page_names(folder: Path) -> None:
    """Three subjects by rule, with slices of both volumes; weights of everybody."""
    content = json.loads((folder / "runs/cv/explain/explain.json").read_text())
    page = (folder / "runs/cv/report.html").read_text()
    parts = sorted((folder / "runs/cv").glob("fold-*/token_attention.parquet"))
    frame = pd.concat(map(pd.read_parquet, parts))
    columns = re.search(r"`(subject, repeat, fold, modality, token, position,\nweight)`", PAGE)

    assert [each["why"].split()[0] for each in content["subjects"]] == [
        "highest", "median", "lowest",
    ]  # fmt: skip
    for subject in content["subjects"]:
        assert [each["modality"] for each in subject["modalities"]] == ["ct", "pet"]
        for modality in subject["modalities"]:
            rows = modality["volume"]["rows"]
            assert [row["name"] for row in rows] == ["input", "attention"]
            highest = max(modality["weights"]) * modality["tokens"]
            assert abs(rows[1]["highest"] - highest) < 1e-4
    assert columns is not None
    assert list(frame.columns) == columns[1].replace("\n", " ").split(", ")
    assert frame["subject"].nunique() == 32
    assert f"more than {MOST_TOKENS} tokens" in PAGE
    assert 'id="explain"' in page
    assert 'id="attention-profile-ct"' in page


def test_the_python_examples_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first prints the token with most attention, the others keep the contract."""
    monkeypatch.chdir(folder)
    examples = blocks("python")
    space: dict[str, Any] = {"__name__": "page"}
    for example in examples:
        exec(example, space)

    assert len(examples) == 4
    assert "highest predicted risk ct {'token': " in capsys.readouterr().out
    assert (folder / "shown/explain.json").is_file()
