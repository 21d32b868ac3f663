"""Of a file that training began with a model keeps the name and the hash, not the place."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from torch import nn

from survkit.build import Part, Parts
from survkit.model import SurvivalModel
from survkit.recipe import Recipe
from survkit.training.named_files import (
    files_of,
    preparation_without_folders,
    recipe_without_folders,
    without_folders,
)

NOTHING = Part("fusion", "survkit/concat", {})


class FromWeights(nn.Module):
    """Reads a file when a model is composed, as a pre-trained encoder does."""

    def load_weights(self) -> None: ...


class Described(FromWeights):
    """Is described by a folder, and knows the name of what the folder describes."""

    def recorded_settings(self) -> dict[str, Any]:
        return {"backbone": "net"}


def recipe(title: str = "files", **settings: Any) -> Recipe:
    data = {
        "title": title, "encoders": {"ct": {"use": "cnn3d", **settings}}, "head": "cox",
        "outcome": {"horizon": 300}, "objective": ["cox"],
    }  # fmt: skip
    return Recipe.parse(data, source="test")


def settings_of(encoder: nn.Module, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what a model of one encoder keeps of its settings."""
    parts = Parts(encoders={"ct": Part("encoder", "x", settings)}, fusion=NOTHING, head=NOTHING)
    model = cast(SurvivalModel, SimpleNamespace(encoders={"ct": encoder}))
    return dict(without_folders(parts, model).encoders["ct"].settings)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return weights in somebody's folder."""
    (tmp_path / "jane").mkdir()
    (tmp_path / "jane" / "w.pth").write_bytes(b"weights")
    return tmp_path / "jane" / "w.pth"


def test_files_are_found_wherever_a_setting_names_them(file: Path) -> None:
    """Also inside another encoder's settings; what is no file is not taken for one."""
    found = files_of(recipe(inner={"weights": str(file), "list": ["w.pth", "a/b"]}, weights=None))
    sha256 = hashlib.sha256(b"weights").hexdigest()

    assert found == {"encoders.ct.inner.weights": {"name": "w.pth", "sha256": sha256}}


def test_a_recipe_keeps_everything_but_the_folders(file: Path, tmp_path: Path) -> None:
    """Numbers, names of components and the title stay; paths of every kind lose their folder."""
    given = recipe(
        weights=str(file), gone="/data/x/y.pt", home="~/z.pt", net=f"local-dir:{tmp_path}/net",
        hub="hf-hub:org/name", windows="C:\\nets\\v.pt", number=3, names=["a/b", str(file)],
    )  # fmt: skip
    kept = recipe_without_folders(given)["encoders"]["ct"]

    assert kept == {
        "use": "cnn3d", "weights": "w.pth", "gone": "y.pt", "home": "z.pt", "net": "local-dir:net",
        "hub": "hf-hub:org/name", "windows": "v.pt", "number": 3, "names": ["a/b", "w.pth"],
    }  # fmt: skip
    assert Recipe.parse(recipe_without_folders(recipe()), source="test") == recipe()
    assert recipe_without_folders(recipe(title="a /b/c"))["title"] == "a /b/c"


def test_a_relative_path_loses_its_folder_too(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it names a file that is there."""
    monkeypatch.chdir(file.parent.parent)

    assert recipe_without_folders(recipe(w="jane/w.pth"))["encoders"]["ct"]["w"] == "w.pth"
    assert recipe_without_folders(recipe(w="jane/v.pth"))["encoders"]["ct"]["w"] == "jane/v.pth"


def test_only_what_is_read_while_composing_is_kept_by_name(file: Path) -> None:
    """An encoder may need the file to be built; then the path stays, and is never published."""
    settings = {"weights": str(file), "dim": 4, "shape": (1, 2), "gone": "/data/x.pt"}
    bare = {"weights": "w.pth", "dim": 4, "shape": (1, 2), "gone": "x.pt"}

    assert settings_of(FromWeights(), settings) == bare
    assert settings_of(nn.Identity(), settings) == settings
    assert settings_of(Described(), settings | {"backbone": "local-dir:/n"}) == bare | {
        "backbone": "net"
    }


def test_a_cohorts_own_files_are_kept_by_name() -> None:
    """Columns and everything else stay as they are."""
    declared = {"kind": "table", "file": "/data/clinic/blood.csv", "columns": ["a/b"]}

    assert preparation_without_folders(declared) == declared | {"file": "blood.csv"}
    assert preparation_without_folders({"file": None}) == {"file": None}
