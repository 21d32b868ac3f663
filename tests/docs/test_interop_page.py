"""The commands and examples of docs/interop.md, run as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from survkit.cli import main
from survkit.plugins import default_registry
from survkit.recipe import Recipe

PAGE = (Path(__file__).parents[2] / "docs" / "interop.md").read_text(encoding="utf-8")
NETWORK = {
    "title": "network",
    "encoders": {"clinical": {"use": "tabular", "dim": None}},
    "head": {"use": "mtlr"},
    "objective": ["pycox-mtlr"],
    "outcome": {"horizon": 730},
    "training": {"epochs": 2, "accelerator": "cpu"},
}
"""The page does not show the network that it is compared with."""


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_the_baseline_is_compared_with_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands of the page, on the recipe of the page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "coxnet.yaml").write_text(blocks("yaml")[0])
    (tmp_path / "clinical.yaml").write_text(yaml.safe_dump(NETWORK))

    for line in blocks("bash")[0].splitlines():
        few = ["--replicates", "20", "--quiet"] if line.startswith("survkit cv") else []
        assert main([*shlex.split(line)[1:], *few]) == 0, line

    printed = capsys.readouterr().out
    assert "chose baseline.l1_ratio=" in printed
    assert "coxnet" in printed
    assert "network" in printed


def test_the_estimator_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The longer training is chosen, curves fall, and a model folder is written."""
    monkeypatch.chdir(tmp_path)

    exec(compile(blocks("python")[0], "docs/interop.md", "exec"), {})

    assert "{'recipe__training__epochs': 10} 0." in capsys.readouterr().out
    assert (tmp_path / "model" / "config.json").is_file()


def test_the_listing_shows_the_losses(capsys: pytest.CaptureFixture[str]) -> None:
    """Every name in the tables of the page is registered."""
    for line in blocks("bash")[1].splitlines():
        assert main(shlex.split(line)[1:]) == 0
    listed = capsys.readouterr().out
    registered = {component.name for component in default_registry().iterate(None, None)}
    named = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, flags=re.MULTILINE))

    assert len(named) == 8
    assert named <= registered
    assert "pycox-mtlr" in listed
    assert "pc-hazard" in listed


def test_the_recipe_is_valid() -> None:
    """And so is its other form of inputs."""
    recipe = Recipe.parse(yaml.safe_load(blocks("yaml")[0]), source="docs/interop.md")
    with_components = recipe.with_value("inputs.0", {"modality": "histology", "components": 20})

    assert with_components.inputs[0].components == 20
