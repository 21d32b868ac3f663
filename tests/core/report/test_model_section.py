"""The sizes of the model on the page are those that its training wrote down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from survkit.errors import RunError
from survkit.report.model_section import read_model_sizes
from survkit.report.write_report import write_report

PARTS = {
    "encoders.ct": {"parameters": 1200, "trainable": 34},
    "fusion": {"parameters": 0, "trainable": 0},
    "head": {"parameters": 7, "trainable": 7},
}


def with_sizes(run: Path, *sizes: Any) -> Path:
    """Leave a ``training.json`` in every fold."""
    for number, parts in enumerate(sizes):
        (run / f"fold-{number}").mkdir(exist_ok=True)
        facts = {"epochs": [3, 3], "score": None} | ({} if parts is None else {"parts": parts})
        (run / f"fold-{number}/training.json").write_text(json.dumps(facts))
    return run


def test_the_page_has_a_row_per_part(tmp_path: Path, kit: Any) -> None:
    """Marked numbers of report/model.json, their sum, and the same table as a file."""
    run = with_sizes(kit.make_run(tmp_path / "run", kit.simulated(), {}), PARTS, PARTS)
    page = kit.Page(write_report(run))

    content = json.loads((run / "report/model.json").read_text())
    assert content["total"] == {"parameters": 1207, "trainable": 41}
    marked = [text for source, *_, text in page.others if source == "model.json"]
    assert marked == ["1200", "34", "0", "0", "7", "7", "1207", "41"]
    assert "2 such networks are averaged." in page.text
    table = (run / "report/tables/model.csv").read_text().splitlines()
    assert table[0] == "part,parameters,trainable"
    assert table[-1] == "in all,1207,41"
    assert "#model" in page.addresses


def test_folds_of_other_sizes_are_said_and_old_runs_have_no_section(
    tmp_path: Path, kit: Any
) -> None:
    """A search may choose widths; runs of earlier versions say nothing about sizes."""
    run = kit.make_run(tmp_path / "run", kit.simulated(), {})
    wider = PARTS | {"head": {"parameters": 9, "trainable": 9}}
    sizes = read_model_sizes(with_sizes(run, PARTS, wider))
    assert sizes is not None
    assert sizes["folds_differ"]
    assert read_model_sizes(with_sizes(run, PARTS, None)) is None

    (run / "fold-0/training.json").write_text("{")
    with pytest.raises(RunError, match=r"fold-0/training\.json: damaged"):
        read_model_sizes(run)
