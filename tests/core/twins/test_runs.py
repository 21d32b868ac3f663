"""Runs of a recipe in which two encoders read one modality, from folds to predictions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.core.twins.conftest import SUBJECTS, recipe, write_cohort

from survkit.auditing import audit
from survkit.cli import main
from survkit.cost import cost
from survkit.data import Cohort, PreparationCache
from survkit.errors import ConfigError
from survkit.evaluation import Predictions
from survkit.hub import from_pretrained, save_pretrained
from survkit.importance import importance_run
from survkit.registry import Registry
from survkit.training import fit


def test_it_is_the_cohort_that_names_the_image_twice(made: Path) -> None:
    """Bit for bit: folds, weights and predictions of subjects with and without the image."""
    once, twice = (
        Predictions.read(made / name / "cv" / "predictions.parquet") for name in ("once", "twice")
    )

    assert once.subject.tolist() == twice.subject.tolist()
    assert np.array_equal(once.risk_score, twice.risk_score)
    assert np.array_equal(
        np.asarray(once.cumulative_incidence), np.asarray(twice.cumulative_incidence)
    )
    assert np.unique(once.risk_score).size > SUBJECTS // 2
    assert once.model == "xray + clinical, cox"


def test_a_saved_model_knows_what_its_encoders_read(
    made: Path, tmp_path: Path, registry: Registry
) -> None:
    """It predicts from a cohort that knows of one image, also after it was saved again; a cohort
    whose own modality has an encoder's name is refused.
    """
    folder = made / "once" / "cv" / "fold-0"
    cohort = Cohort.read(made / "once" / "cohort.yaml", needs_outcome=False)
    fitted = from_pretrained(folder, registry=registry)
    save_pretrained(fitted, tmp_path / "copy")
    copy = from_pretrained(tmp_path / "copy", registry=registry)
    table = Predictions.read(folder / "predictions.parquet")
    rows = [cohort.subjects.index(name) for name in table.subject]

    stored = json.loads((folder / "config.json").read_text())
    assert stored["twins"] == {"inside": "xray"}
    for model in (fitted, copy):
        found = model.predict(cohort, rows, micro_batch=5).risk_score(300)
        assert np.array_equal(found.double().numpy(), table.risk_score[:, 0])
    with pytest.raises(ConfigError, match="the cohort has a modality 'inside' of its own"):
        fitted.predict(Cohort.read(made / "twice" / "cohort.yaml"))


def test_a_model_without_twins_is_stored_as_before(made: Path, registry: Registry) -> None:
    """The key is an addition: where nothing needs it, it is not there."""
    folder = made / "twice" / "cv" / "fold-0"

    assert "twins" not in json.loads((folder / "config.json").read_text())
    assert from_pretrained(folder, registry=registry).description.twins == {}


def test_an_audit_fits_the_scaling_of_a_twin_anew(tmp_path: Path) -> None:
    """Of two encoders of one table each is checked, and one that is bent is named."""
    file = write_cohort(tmp_path / "once")
    content = {
        "encoders": {
            "clinical": {"use": "tabular", "dim": None},
            "deep": {"use": "tabular", "hidden": [2], "modality": "clinical"},
        },
        "head": "cox",
        "outcome": {"horizon": 300},
        "objective": "cox",
        "training": {"epochs": 2, "validation": 0, "accelerator": "cpu"},
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(content))
    run = tmp_path / "run"
    line = f"cv {tmp_path / 'recipe.yaml'} --cohort {file} --out {run} --folds 2 --quiet"
    assert main([*line.split(), "--replicates", "0"]) == 0

    found = audit(run, cohort=file)

    assert "fitted-outside" in found.checked
    assert not [one for one in found.findings if one.rule == "fitted-outside"]


def test_penalties_scalers_and_weights_belong_to_encoders(made: Path, registry: Registry) -> None:
    """Preparation is recorded for each, and the report says what was read of the cohort."""
    fitted = from_pretrained(made / "once" / "cv" / "fold-1", registry=registry)
    page = (made / "once" / "cv" / "report.html").read_text()

    assert sorted(fitted.description.inputs) == ["clinical", "inside", "xray"]
    assert fitted.description.preparation["inside"] == fitted.description.preparation["xray"]
    assert fitted.description.readers["xray"] == ("xray", "inside")
    assert "from xray + clinical" in page


def test_equal_preparations_are_shared_and_others_are_not(
    made: Path, tmp_path: Path, registry: Registry
) -> None:
    """Two encoders that prepare alike leave one file per subject; others leave their own."""
    cohort = Cohort.read(made / "once" / "cohort.yaml")
    images = SUBJECTS - 3
    counts = []
    for name, changes in {
        "different": {},
        "alike": {"encoders.xray": {"use": "inside"}, "objective": ["cox"]},
    }.items():
        plan = recipe()
        for path, value in changes.items():
            plan = plan.with_value(path, value)
        cache = PreparationCache(tmp_path / name)
        fit(plan, cohort, tmp_path / f"{name}-run", cache=cache, registry=registry, progress=False)
        counts.append(len(list((tmp_path / name).rglob("*.npy"))))

    assert counts == [2 * images, images]


def test_cost_counts_both_encoders(made: Path, registry: Registry) -> None:
    """A part for each, though one image is read."""
    found = cost(recipe(), Cohort.read(made / "once" / "cohort.yaml"), registry=registry)

    assert found.parts["encoders.xray"].parameters == 3 * 257
    assert found.parts["encoders.inside"].parameters == 2


def test_importance_is_of_encoders(made: Path, registry: Registry) -> None:
    """What a group's features are worth to one reader of the image: as if it were named twice."""
    found = [
        importance_run(
            made / name / "cv",
            Cohort.read(made / name / "cohort.yaml"),
            out=made / f"importance-{name}",
            repeats=2,
            replicates=0,
            overwrite=True,
            registry=registry,
        ).content["groups"]
        for name in ("once", "twice")
    ]

    assert len(found[0]) > 1
    assert found[0] == found[1]
