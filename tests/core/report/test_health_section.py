"""What parts of the model said of themselves is on the page, warnings first and in the summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from survkit.evaluation.evaluate import evaluate
from survkit.report.learning_log import HEALTH as READ
from survkit.report.write_report import write_report
from survkit.training.learning import HEALTH as WRITTEN

LOG = "epoch,train_loss,health/ct.perplexity,health/pet.codebook_usage\n"
WARNING = {"module": "ct", "first_epoch": 1, "last_epoch": 2, "epochs": 2}
WARNING |= {"warning": "few <codes> are in use; choose a smaller codebook_size"}
FILES = {
    "fold-0/log.csv": f"{LOG}0,2.0,8.0,0.5\n1,1.5,2.0,\n2,1.4,2.0,0.25\n",
    "fold-1/log.csv": f"{LOG}0,2.0,6.0,0.5\n1,1.4,8.0,0.75\n",
    "fold-0/training.json": json.dumps({"health": [[], [WARNING]]}),
    "fold-1/training.json": json.dumps({"health": [[]]}),
}


def page(kit: Any, folder: Path, files: dict[str, str]) -> Any:
    table = kit.simulated()
    run = kit.make_run(folder, table, files)
    return kit.Page(write_report(run, evaluation=evaluate(table, replicates=0)))


def test_reader_and_writer_mean_the_same_columns() -> None:
    """The report reads a log of its own and knows no engine."""
    assert READ == WRITTEN


def test_quantities_are_drawn_and_warnings_told(kit: Any, tmp_path: Path) -> None:
    """A figure per quantity over all trainings, a row per warning, and a caution at the top."""
    found = page(kit, tmp_path / "run", FILES)

    alts = [one["alt"] for one in found.pictures if "over the epochs" in one["alt"]]
    assert alts == [
        "ct.perplexity over the epochs of 2 trainings; it goes from 7 to 5 on average.",
        "pet.codebook_usage over the epochs of 2 trainings; it goes from 0.5 to 0.5 on average.",
    ]
    assert "few <codes> are in use" in found.text
    assert "few <codes>" not in found.source
    assert "fold-0/member-1" in found.text
    assert "2, from 1 to 2" in found.text
    assert {"health", "t-health"} <= set(found.ids)
    assert found.addresses.count("#health") == 2
    figures = tmp_path / "run" / "report" / "figures"
    assert {one.name for one in figures.glob("health*")} == {
        "health-ct-perplexity.svg",
        "health-pet-codebook-usage.svg",
    }


def test_a_run_without_it_has_no_such_section(kit: Any, tmp_path: Path) -> None:
    """Nor a caution; with values and no warning there is the section alone."""
    silent = {name: text for name, text in FILES.items() if name.endswith("log.csv")}
    assert "health" not in page(kit, tmp_path / "none", {}).ids

    found = page(kit, tmp_path / "silent", silent)

    assert "health" in found.ids
    assert "t-health" not in found.ids
    assert found.addresses.count("#health") == 1
