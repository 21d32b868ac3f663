"""What a part of a model warned of during training is a finding of the audit."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from survkit.auditing.finding import Answer, NotChecked
from survkit.auditing.rules.part_health import RULE
from survkit.auditing.run_files import read_run_files

WARNING = {"module": "ct", "first_epoch": 1, "last_epoch": 9, "epochs": 8, "warning": "few codes"}


def answer(folder: Path, *folds: dict[str, Any]) -> Answer:
    for number, facts in enumerate(folds):
        (folder / f"fold-{number}").mkdir()
        (folder / f"fold-{number}" / "training.json").write_text(json.dumps(facts))
    evidence: Any = SimpleNamespace(run=read_run_files(folder))
    return RULE.check(evidence)


def test_warnings_are_one_finding(tmp_path: Path) -> None:
    """With the fold, the part and how long it lasted."""
    found = answer(tmp_path, {"health": [[]]}, {"health": [[WARNING], [WARNING]]})

    assert isinstance(found, list)
    (finding,) = found
    assert finding.severity == "warning"
    assert finding.evidence == "fold-1, ct, 8 epochs: few codes, fold-1, ct, 8 epochs: few codes"


def test_healthy_parts_are_no_finding(tmp_path: Path) -> None:
    """They were asked and said nothing."""
    assert answer(tmp_path, {"health": [[]]}) == []


def test_models_without_such_parts_are_not_checked(tmp_path: Path) -> None:
    """Nor is what is no run folder."""
    nothing: Any = SimpleNamespace(run=None)

    assert isinstance(answer(tmp_path, {"epochs": [3]}), NotChecked)
    assert isinstance(RULE.check(nothing), NotChecked)
