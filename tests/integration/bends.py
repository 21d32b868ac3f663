"""What the tests of bad inputs share: commands, ways to bend what they read, and the check.

What can be wrong with a cohort alone is listed in ``tests/core/data/test_bad_cohorts.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from survkit.cli import main

Bend = Callable[[Any], object]
Row = tuple[str, Bend | None, tuple[str, ...]]

FIT = "fit recipe.yaml --cohort cohort.yaml --out r --quiet"
REFIT = FIT.replace("--out r", "--out fitted")
CV = "cv recipe.yaml --cohort cohort.yaml --out r --folds 3 --replicates 0 --quiet"
RECV = CV.replace("--out r", "--out cv")
SPLITS = CV + " --splits cv/splits.json"
PREDICT = "predict fitted --cohort cohort.yaml"
PREPARE = "prepare recipe.yaml --cohort cohort.yaml"
SPLIT = "cohort split cohort.yaml --out s.json"
PHANTOM = "phantom --out ph --subjects 20 --size 16"


def text(name: str, content: str | bytes) -> Bend:
    """Replace a file."""
    raw = content.encode() if isinstance(content, str) else content
    return lambda place: (place / name).write_bytes(raw)


def cut(name: str, size: int = 40) -> Bend:
    """Keep the beginning of a file."""
    return lambda place: (place / name).write_bytes((place / name).read_bytes()[:size])


def recipe(**sections: Any) -> Bend:
    """Replace sections of the recipe."""
    return lambda place: place.yaml("recipe.yaml", lambda content: content.update(sections))


def training(**settings: Any) -> Bend:
    """Replace settings of the training."""
    return lambda place: place.yaml("recipe.yaml", lambda c: c["training"].update(settings))


def encoder(**settings: Any) -> Bend:
    """Replace settings of the encoder."""
    return lambda p: p.yaml("recipe.yaml", lambda c: c["encoders"]["clinical"].update(settings))


def horizon(value: float, **settings: Any) -> Bend:
    """Replace the outcome of the recipe."""
    return recipe(outcome={"horizon": value, **settings})


def modalities(**given: Any) -> Bend:
    """Replace the modalities of the cohort."""
    return lambda place: place.yaml("cohort.yaml", lambda c: c.update(modalities=given))


def columns(**values: Any) -> Bend:
    """Replace columns of the table; a function is given the table."""
    return lambda place: place.table(lambda frame: frame.assign(**values))


def data(name: str, change: Callable[[Any], object]) -> Bend:
    """Let a function bend the content of a JSON file."""

    def bend(place: Any) -> None:
        content = json.loads((place / name).read_text())
        change(content)
        (place / name).write_text(json.dumps(content))

    return bend


def cases(group: str, rows: Mapping[str, Row]) -> list[Any]:
    """Return the rows of a group as parameters, named after group and row."""
    return [pytest.param(row, id=f"{group}: {name}") for name, row in rows.items()]


def check_refusal(row: Row, place: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Check that a command says in one line what is wrong, and changes and leaves no file.

    Warnings about the cohort may stand before the line.
    """
    line, bend, fragments = row
    if bend is not None:
        bend(place)
    before = place.files()
    capsys.readouterr()

    code = main(line.split())

    said = capsys.readouterr().err.splitlines(keepends=True)
    error = "".join(one for one in said if not one.startswith("warning: "))
    assert (code, error.count("\n"), "Traceback" in error) == (2, 1, False), error
    assert [part for part in fragments if part not in error] == [], error
    assert place.files() == before
    assert not list(Path().rglob("*.part"))
