"""The page tells which trained weights a run started from, and what nobody can tell of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from survkit.evaluation.evaluate import evaluate
from survkit.report.write_report import write_report

INIT: dict[str, Any] = {
    "source": "org/old at 0123456789ab",
    "sha256": "ab" * 32,
    "loaded": ["encoders.ct"],
    "fresh": {"head": "not asked for"},
    "unused": ["head"],
    "frozen": ["encoders.ct"],
    "tensors": 7,
    "unknown_exposure": ["old"],
    "different_subjects": True,
    "validation_seen": 0,
}


def page(kit: Any, folder: Path, *starts: dict[str, Any], run: dict[str, Any]) -> Any:
    table = kit.simulated()
    files = {
        f"fold-{number}/training.json": json.dumps({"init": init})
        for number, init in enumerate(starts)
    }
    made = kit.make_run(folder, table, files | {"run.json": json.dumps({"init": run})})
    return kit.Page(write_report(made, evaluation=evaluate(table, replicates=0)))


def test_unknown_subjects_are_a_caution(kit: Any, tmp_path: Path) -> None:
    """At the top, with a link to the protocol, where folds that started alike are one sentence."""
    unknown = {"unknown_exposure": {"cohorts": ["old"], "different_subjects": True}}
    found = page(kit, tmp_path, INIT, INIT, run=unknown)

    assert found.text.count("started from org/old at 0123456789ab (sha256 abababababab)") == 1
    assert "rests on --different-subjects alone" in found.text
    assert "Nobody can tell which subjects the weights" in found.text
    assert "#protocol" in found.addresses


def test_weights_whose_subjects_are_known_are_none(kit: Any, tmp_path: Path) -> None:
    """Each fold's own start is told."""
    known = INIT | {"unknown_exposure": []}
    found = page(kit, tmp_path, known, known | {"source": "cv:fold-1"}, run={"weights": {}})

    assert "fold-0: started from org/old" in found.text
    assert "fold-1: started from cv:fold-1" in found.text
    assert "Nobody can tell" not in found.text
