"""A small cohort, a recipe, and finished runs of both commands, to be bent by tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import yaml
from tests.core.pages import without_figures
from tests.integration.example_files import ridge  # noqa: F401 - the fixture
from tests.integration.tournament_asked import FILE

from survkit.catalog import CATALOG, Provider
from survkit.cli import main

SUBJECTS = 36
COHORT: dict[str, Any] = {
    "name": "toy",
    "table": "patients.csv",
    "subject": "id",
    "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
    "modalities": {"clinical": {"kind": "table", "columns": ["age", "stage"]}},
}
RECIPE: dict[str, Any] = {
    "title": "linear",
    "encoders": {"clinical": {"use": "tabular", "hidden": [], "dim": 4}},
    "head": {"use": "cox"},
    "outcome": {"horizon": 300},
    "objective": ["cox"],
    "training": {"epochs": 2, "micro_batch": 64, "accelerator": "cpu"},
}


class Place:
    """A folder with cohort.yaml, recipe.yaml, patients.csv and the runs fitted and cv."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def yaml(self, name: str, change: Any) -> None:
        """Let a function bend the content of a YAML file."""
        content = yaml.safe_load((self / name).read_text())
        change(content)
        (self / name).write_text(yaml.safe_dump(content))

    def table(self, change: Any) -> None:
        """Let a function bend the table of subjects."""
        frame = pd.read_csv(self / "patients.csv")
        changed = change(frame)
        (frame if changed is None else changed).to_csv(self / "patients.csv", index=False)

    def files(self) -> dict[str, bytes]:
        """Return every file and its content, prepared data apart."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and "cache" not in path.parts
        }


def write_inputs(folder: Path) -> None:
    """Write a cohort whose hazard grows with age, and a recipe for it."""
    random = np.random.default_rng(0)
    age = random.normal(60, 8, SUBJECTS).round(3)
    duration = 400 * random.exponential(np.exp(-0.1 * (age - 60)))
    censoring = random.uniform(100, 900, SUBJECTS)
    table = {
        "id": [f"s{k:02d}" for k in range(SUBJECTS)],
        "age": age,
        "stage": [["I", "II", "III"][k % 3] for k in range(SUBJECTS)],
        "days": (np.minimum(duration, censoring) + 1).round(2),
        "event": (duration <= censoring).astype(int),
    }
    pd.DataFrame(table).to_csv(folder / "patients.csv", index=False)
    (folder / "cohort.yaml").write_text(yaml.safe_dump(COHORT))
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))


@pytest.fixture(scope="session")
def finished_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which both commands have run; tests take copies of it."""
    folder = tmp_path_factory.mktemp("finished")
    write_inputs(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SURVKIT_CACHE", str(folder / "cache"))
        given = ["recipe.yaml", "--cohort", "cohort.yaml", "--quiet"]
        assert main(["fit", *given, "--out", "fitted"]) == 0
        assert main(["cv", *given, "--out", "cv", "--folds", "3", "--replicates", "10"]) == 0
    return folder


@pytest.fixture
def place(finished_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A copy of the finished runs, in which commands are typed."""
    shutil.copytree(finished_runs, tmp_path / "place")
    monkeypatch.chdir(tmp_path / "place")
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "place" / "cache"))
    return Place(tmp_path / "place")


@pytest.fixture
def a_plugin_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalog knows one plugin more than is installed."""
    offered = {"encoder": ("uni",), "recipe": ("tma",)}
    provider = Provider("survkit-histology", "histology")
    monkeypatch.setitem(cast(dict[Any, Any], CATALOG), provider, offered)


@pytest.fixture
def plain_pages() -> Iterator[None]:
    """Draw no figures of single runs, which would take most of the time."""
    with without_figures():
        yield


@pytest.fixture
def asked(place: Place) -> Place:
    """The place with a tournament file."""
    (place / "t.yaml").write_text(yaml.safe_dump(FILE))
    return place
