"""``training.corruptions`` as a user writes it: refused before anything trains, or trained with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from torch import Tensor

from survkit.cli import main
from survkit.data import Cohort
from survkit.errors import CompositionError, ConfigError
from survkit.plugins import default_registry
from survkit.protocols import Sample
from survkit.recipe import Recipe
from survkit.safe_yaml import read_yaml
from survkit.training.training_corruptions import training_corruptions

RECIPE = """
encoders:
  ct: {use: cnn3d, channels: [4, 4], dim: 4}
  clinical: {use: tabular, hidden: [4]}
head: cox
outcome: {horizon: 730}
objective: cox
training: {epochs: 1, micro_batch: 8, validation: 0}
"""
PAPER = [
    {"modality": "ct", "use": "gaussian-noise", "probability": 0.5, "sigma": 0.1},
    {"modality": "clinical", "use": "missing-modality", "probability": 0.25},
]


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a phantom cohort and a recipe."""
    folder = tmp_path_factory.mktemp("phantom")
    (folder / "recipe.yaml").write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["phantom", "--out", "p", "--subjects", "16", "--size", "16"]) == 0
    return folder


def fit(folder: Path, patch: pytest.MonkeyPatch, corruptions: object, *more: str) -> int:
    patch.chdir(folder)
    patch.setenv("SURVKIT_CACHE", str(folder / "cache"))
    line = "fit recipe.yaml --cohort p/cohort.yaml --quiet --set"
    return main([*line.split(), f"training.corruptions={json.dumps(corruptions)}", *more])


def test_a_recipe_keeps_them(tmp_path: Path) -> None:
    """Plain data and YAML give back an equal recipe; a setting has a path like any other."""
    data = yaml.safe_load(RECIPE)
    data["training"]["corruptions"] = PAPER
    recipe = Recipe.parse(data, source="recipe")

    assert recipe.to_dict()["training"]["corruptions"] == [
        {"use": "gaussian-noise", "sigma": 0.1, "modality": "ct", "probability": 0.5},
        {"use": "missing-modality", "modality": "clinical", "probability": 0.25},
    ]
    assert Recipe.parse(yaml.safe_load(recipe.to_yaml()), source="again") == recipe
    stronger = recipe.with_value("training.corruptions.0.sigma", 0.3)
    assert stronger.training.corruptions[0].settings == {"sigma": 0.3}
    assert Recipe.parse(yaml.safe_load(RECIPE), source="r").training.corruptions == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"modality": "pet"}, "training.corruptions.0: the recipe has no modality 'pet'"),
        ({"modality": "ct", "probability": 0}, "training.corruptions.0.probability"),
        ({"modality": "ct", "probability": 1.5}, "training.corruptions.0.probability"),
        ({"modality": "ct", "use": 3}, "training.corruptions.0.use"),
    ],
)
def test_what_is_no_entry_is_refused(wrong: dict[str, object], words: str) -> None:
    """By the recipe alone."""
    data = yaml.safe_load(RECIPE)
    data["training"]["corruptions"] = [{"use": "gaussian-noise", **wrong}]

    with pytest.raises(ConfigError) as caught:
        Recipe.parse(data, source="recipe")

    assert words in str(caught.value)


def test_a_baseline_has_none() -> None:
    """It is no network, and reads its inputs once."""
    data = {
        "baseline": "cox-elastic-net",
        "inputs": ["clinical"],
        "outcome": {"horizon": 730},
        "training": {"corruptions": []},
    }

    with pytest.raises(ConfigError, match=r"training\.corruptions means nothing to a baseline"):
        Recipe.parse(data, source="recipe")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"use": "gausian-noise"}, "Did you mean 'gaussian-noise'"),
        ({"use": "gaussian-noise", "sigam": 0.1}, "has no setting 'sigam'. Did you mean 'sigma'"),
        ({"use": "gaussian-noise", "sigma": "a lot"}, "a number"),
        ({"use": "gaussian-noise", "sigma": -1}, "sigma"),
        ({"use": "missing-columns"}, "missing-columns applies to table, but 'ct' is a volume"),
        ({"use": "mask-jitter"}, "mask-jitter changes the mask alone"),
    ],
)
def test_what_does_not_fit_is_refused_before_training(
    wrong: dict[str, object],
    words: str,
    phantom: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In one sentence that names the entry, with exit code 2 and nothing written."""
    good = {"modality": "ct", "use": "blur"}

    code = fit(phantom, monkeypatch, [good, {"modality": "ct", **wrong}], "--out", "wrong")

    said = " ".join(capsys.readouterr().err.split())
    assert (code, (phantom / "wrong").exists()) == (2, False)
    assert "training.corruptions.1" in said
    assert words in said


def test_a_blur_in_mm_needs_a_declared_voxel_size(
    phantom: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where every file may have its own, the store no longer knows it."""
    blur = [{"modality": "ct", "use": "blur", "unit": "mm", "fwhm": 2.0}]
    cohort = read_yaml(phantom / "p" / "cohort.yaml")
    assert isinstance(cohort, dict)
    codes = {}
    for name, spacing in (("declared", [2.0, 2.0, 2.0]), ("open", None)):
        cohort["modalities"]["ct"]["spacing"] = spacing
        (phantom / "p" / f"{name}.yaml").write_text(yaml.safe_dump(cohort))
        more = ("--out", name, "--cohort", f"p/{name}.yaml")
        codes[name] = fit(phantom, monkeypatch, blur, *more)

    assert codes == {"declared": 0, "open": 2}
    assert "training.corruptions.0: a subject's ct: a blur in mm" in capsys.readouterr().err


class Preparing:
    """An encoder that keeps something else than the image."""

    def prepare(self, sample: Sample) -> Tensor:
        return sample.values.mean(dim=0)

    def preparation_fingerprint(self) -> str:
        return "mean"


def test_an_encoder_that_prepares_is_refused(phantom: Path) -> None:
    """What is stored of the subject is no longer the image."""
    data = yaml.safe_load(RECIPE)
    data["training"]["corruptions"] = PAPER[:1]
    recipe, cohort = Recipe.parse(data, source="r"), Cohort.read(phantom / "p" / "cohort.yaml")
    specs = {"ct": cohort.input_spec("ct", range(4))}

    with pytest.raises(
        CompositionError, match=r"encoders\.ct \(cnn3d\) prepares every subject once"
    ):
        training_corruptions(recipe, cohort, specs, {"ct": Preparing()}, default_registry())


def test_training_with_noise_is_another_training(
    phantom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same twice, and not that of clean inputs; run and model say what was done."""
    for name, given in (("a", PAPER), ("b", PAPER), ("clean", [])):
        assert fit(phantom, monkeypatch, given, "--out", name) == 0
    losses = {
        name: (phantom / name / "log.csv").read_text().splitlines()[1]
        for name in ("a", "b", "clean")
    }

    assert losses["a"] == losses["b"] != losses["clean"]
    recipe = json.loads((phantom / "a" / "run.json").read_text())["recipe"]
    again = Recipe.parse(recipe, source="run.json")
    assert [one.use for one in again.training.corruptions] == ["gaussian-noise", "missing-modality"]
