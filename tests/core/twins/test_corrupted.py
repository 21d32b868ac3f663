"""A corruption meets the scanned modality: all its readers, with one draw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.core.twins.conftest import recipe, recipe_data

from survkit.corruptions.modality_corruption import build_part
from survkit.data import Cohort
from survkit.errors import CompositionError
from survkit.flow import Batch, ModalityInput, SurvivalTarget
from survkit.protocols import Sample
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.specs import InputSpec
from survkit.stress import stress_run
from survkit.training import fit
from survkit.training.corrupted_batch import Corrupting
from survkit.training.training_corruptions import TrainingCorruption

STRESS: dict[str, Any] = {"fractions": (1.0,), "seeds": 2, "replicates": 0}
SPEC = InputSpec(kind="image", shape=(1, 4, 4))


def corruption(name: str, *readers: str, probability: float = 1.0) -> TrainingCorruption:
    from survkit.plugins import default_registry

    return TrainingCorruption(
        part=build_part(default_registry().find("corruption", name), "xray", {}),
        probability=probability,
        readers=readers,
        spec=SPEC,
        known=Sample(values=torch.empty(0), source="a test", intensity_range=(-1.0, 1.0)),
    )


def batch(*names: str, without: int | None = None) -> Batch:
    """Six subjects with one image under every name, and a number; one may lack the image."""
    values = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    present = torch.ones(6, dtype=torch.bool)
    if without is not None:
        present[without] = False
    image = ModalityInput(values, present, complete=without is None)
    age = ModalityInput(torch.ones(6, 1), torch.tensor([True, False, True, True, True, True]))
    return Batch(
        inputs={name: image for name in names} | {"clinical": age},
        target=SurvivalTarget(duration=torch.arange(1.0, 7.0), event=torch.ones(6).long()),
        row=torch.arange(6),
    )


@pytest.mark.parametrize("probability", [0.5, 1.0])
def test_readers_see_the_same_draw(probability: float) -> None:
    """That of a recipe in which one encoder reads the image alone."""
    noise = corruption("gaussian-noise", "xray", "twin", probability=probability)
    alone = corruption("gaussian-noise", "xray", probability=probability)

    found = Corrupting([noise], (0, 1))(batch("xray", "twin")).inputs
    single = Corrupting([alone], (0, 1))(batch("xray")).inputs

    changed = (found["xray"].values != batch("xray").inputs["xray"].values).flatten(1).any(1)
    assert 0 < int(changed.sum()) <= 6
    assert torch.equal(found["xray"].values, found["twin"].values)
    assert torch.equal(found["xray"].values, single["xray"].values)
    assert torch.equal(found["clinical"].values, torch.ones(6, 1))


def test_a_missing_image_is_missing_for_all_its_readers() -> None:
    """But the second subject has the image alone, under two names, and keeps both."""
    gone = corruption("missing-modality", "xray", "twin")

    found = Corrupting([gone], (0, 1))(batch("xray", "twin")).inputs

    expected = [False, True, False, False, False, False]
    assert found["xray"].present.tolist() == found["twin"].present.tolist() == expected
    assert int(found["twin"].values.flatten(1).any(1).sum()) == 1


def test_who_lacks_the_image_meets_nothing() -> None:
    """Under neither name."""
    noise = corruption("gaussian-noise", "xray", "twin")
    before = batch("xray", "twin", without=4)

    found = Corrupting([noise], (0, 1))(before).inputs

    for name in ("xray", "twin"):
        assert torch.equal(found[name].values[4], before.inputs[name].values[4])
        assert not torch.equal(found[name].values[3], before.inputs[name].values[3])


def test_a_reader_that_prepares_is_refused_by_its_own_name(
    made: Path, tmp_path: Path, registry: Registry
) -> None:
    """What it stores is no longer the image, though the other reader could be corrupted."""
    noise = [{"modality": "xray", "use": "gaussian-noise"}]
    plan = recipe().with_value("training.corruptions", noise)
    cohort = Cohort.read(made / "once" / "cohort.yaml")

    with pytest.raises(CompositionError, match=r"training.corruptions.0: encoders.inside \(inside"):
        fit(plan, cohort, tmp_path / "run", registry=registry, progress=False)


def test_training_meets_noise_in_both_readers(
    made: Path, tmp_path: Path, registry: Registry
) -> None:
    """Under a mean, two equal linear encoders of one image have equal gradients, so that training
    keeps the difference of their weights. Noise of their own for each would move it.
    """
    data = recipe_data(objective="cox", fusion={"use": "mean", "dim": None})
    data["encoders"]["inside"]["use"] = "pixels"
    data["encoders"]["clinical"]["dim"] = 3
    data["training"] |= {
        "corruptions": [{"modality": "xray", "use": "gaussian-noise", "sigma": 0.5}],
        "optimizer": {"use": "sgd", "lr": 0.05, "weight_decay": 0.0, "momentum": 0.0},
        "precision": "64-true",
    }
    cohort = Cohort.read(made / "once" / "cohort.yaml")
    weights: list[list[Any]] = []
    for epochs in (1, 4):
        plan = Recipe.parse(data, source="r").with_value("training.epochs", epochs)
        fitted = fit(plan, cohort, tmp_path / f"{epochs}", registry=registry, progress=False)
        encoders: Any = fitted.members[0].encoders
        weights.append([encoders[name].linear.weight for name in ("xray", "inside")])

    (early, early_twin), (late, late_twin) = weights
    assert float((late - early).detach().abs().max()) > 1e-3
    assert torch.allclose(early - early_twin, late - late_twin, rtol=0, atol=1e-7)


def test_stress_is_that_of_a_cohort_naming_the_image_twice(made: Path, registry: Registry) -> None:
    """Blur and absence of the image are those of both names at once, bit for bit; a blur that one
    reader alone sees is another.
    """
    runs = {name: made / name / "cv" for name in ("once", "twice")}
    cohorts = {name: Cohort.read(made / name / "cohort.yaml") for name in runs}
    asked = {
        "once": ["xray:blur:high", "xray:missing-modality"],
        "twice": [
            "xray:blur:high + inside:blur:high",
            "xray:missing-modality + inside:missing-modality",
            "xray:blur:high",
        ],
    }
    found = {
        name: stress_run(
            runs[name],
            cohorts[name],
            out=made / f"stress-{name}",
            corruptions=asked[name],
            overwrite=True,
            registry=registry,
            **STRESS,
        )
        for name in runs
    }
    once, twice = ([t.risk_score for t in found[name].corrupted.values()] for name in runs)

    assert np.array_equal(once[0], twice[0])
    assert np.array_equal(once[1], twice[1])
    assert not np.array_equal(once[0], twice[2])
    assert not np.array_equal(once[0], found["once"].clean.risk_score)


def test_subsets_are_of_modalities(made: Path, registry: Registry) -> None:
    """Of two, not of three encoders; and without the image none of its readers says anything."""
    found = {
        name: stress_run(
            made / name / "cv",
            Cohort.read(made / name / "cohort.yaml"),
            out=made / f"subsets-{name}",
            corruptions=["clinical:missing-modality"],
            overwrite=True,
            registry=registry,
            **STRESS,
        )
        for name in ("once", "twice")
    }
    kept = {
        name: json.loads((made / f"subsets-{name}" / "stress.json").read_text()) for name in found
    }
    tables = {
        name: {
            file.name.removesuffix(".parquet"): file
            for file in (made / f"subsets-{name}" / "predictions").glob("only.*.parquet")
        }
        for name in found
    }

    assert sorted(tables["once"]) == ["only.clinical", "only.clinical+xray", "only.xray"]
    assert len(kept["once"]["subsets"]) == 3
    assert len(kept["twice"]["subsets"]) == 7
    from survkit.evaluation import Predictions

    for one, both in (("only.xray", "only.inside+xray"), ("only.clinical", "only.clinical")):
        first = Predictions.read(tables["once"][one])
        second = Predictions.read(tables["twice"][both])
        assert np.array_equal(first.risk_score, second.risk_score)


def test_noise_of_the_stress_test_is_one_draw(made: Path, registry: Registry) -> None:
    """An encoder that prepares and one that does not are given the same noisy image."""
    from survkit.data import store_for
    from survkit.hub import from_pretrained
    from survkit.stress.corrupted_input import CleanBatch, Reader, corrupt, read_samples
    from survkit.stress.scenario import parse_scenario

    fitted = from_pretrained(made / "once" / "cv" / "fold-0", registry=registry)
    description = fitted.description
    cohort = Cohort.read(made / "once" / "cohort.yaml").with_twins(description.twins)
    encoders, rows = dict(fitted.members[0].encoders.items()), [0, 1, 2, 4]
    inputs = store_for(cohort, rows, description.inputs, encoders=encoders).inputs(rows)
    scenario = parse_scenario("xray:gaussian-noise:sigma=0.5", {"xray": "image"}, registry)
    names = description.readers["xray"]
    clean = CleanBatch(
        subjects=[cohort.subjects[row] for row in rows],
        samples=read_samples(cohort, "xray", rows, description.inputs["xray"]),
        spec=description.inputs["xray"],
        readers={name: Reader(encoders[name], inputs[name]) for name in names},
    )

    found = corrupt(scenario, {"xray": clean}, torch.ones(4, dtype=torch.bool), 0).inputs

    noisy = found["xray"].values
    assert not torch.equal(noisy, inputs["xray"].values)
    assert torch.allclose(found["inside"].values[:, 1], noisy.flatten(1).mean(1))
