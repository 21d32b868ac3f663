"""Whom the weights had seen that training started from is a question of the audit."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from survkit.auditing.division import Division
from survkit.auditing.finding import Answer, NotChecked
from survkit.auditing.rules.start_weights import RULE
from survkit.auditing.run_files import read_run_files
from survkit.transfer.exposure import Exposure, write_exposures

TEST = ("a", "b", "c")
INIT = {"source": "cv:fold-0", "unknown_exposure": []}


def answer(folder: Path, *seen: Exposure, init: Any = INIT, **run: Any) -> Answer:
    """Ask of a run with one fold that started from weights with this past."""
    (folder / "fold-0").mkdir()
    (folder / "cohort.yaml").write_text("name: here\n")
    (folder / "run.json").write_text(json.dumps({"cohort": "abc"} | run))
    (folder / "fold-0/training.json").write_text(json.dumps({"init": init} if init else {}))
    write_exposures(seen, folder / "fold-0")
    fold = Division(repeat="0", fold="0", train=("d",), validation=(), test=TEST)
    evidence: Any = SimpleNamespace(run=read_run_files(folder), folds=(fold,))
    return RULE.check(evidence)


def severities(found: Answer) -> list[str]:
    assert not isinstance(found, NotChecked)
    return [one.severity for one in found]


def test_seen_subjects_are_an_error_with_their_number(tmp_path: Path) -> None:
    """By the name of the cohort, by its content, and by the patient of an image."""
    for number, (past, facts) in enumerate(
        (
            (Exposure("here", "", frozenset("bcx")), {}),
            (Exposure("renamed", "abc", frozenset("bcx")), {}),
            (
                Exposure("here", "", frozenset("xy"), frozenset({"P1"})),
                {"groups": {"a": "P2", "b": "P1", "c": "P1"}},
            ),
        )
    ):
        (tmp_path / str(number)).mkdir()
        found = answer(tmp_path / str(number), past, **facts)

        assert severities(found) == ["error"]
        assert isinstance(found, list)
        assert found[0].evidence == "fold-0: b, c (2 of 3)"


def test_other_people_are_not_accused(tmp_path: Path) -> None:
    """Not seen, or of another cohort that is numbered alike."""
    others = Exposure("there", "def", frozenset(TEST))

    assert answer(tmp_path, Exposure("here", "", frozenset("x")), others) == []


def test_what_nobody_can_tell_is_a_warning(tmp_path: Path) -> None:
    """A model on the Hub has no list of its subjects."""
    init = {"source": "org/old at 0123", "unknown_exposure": ["there"], "different_subjects": True}
    found = answer(tmp_path, Exposure("there", "", None), init=init)

    assert severities(found) == ["warning"]
    assert isinstance(found, list)
    assert found[0].evidence == "fold-0: org/old at 0123, of the cohort there; 1 of 1 folds"


def test_without_trained_weights_nothing_is_asked(tmp_path: Path) -> None:
    """Nor of what is no run folder."""
    nothing: Any = SimpleNamespace(run=None, folds=())

    assert isinstance(answer(tmp_path, init=None), NotChecked)
    assert isinstance(RULE.check(nothing), NotChecked)
