"""Volumes have no columns: they move as a whole, and who lacks them keeps lacking them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from survkit.data import Cohort
from survkit.importance import importance_run
from survkit.importance.feature_group import own_groups
from survkit.importance.fold_model import FoldModel, Subjects
from survkit.phantom import PhantomConfig, generate_phantom, write_cohort
from survkit.recipe import Recipe
from survkit.training import cross_validate
from survkit.training.cross_validate import fold_folder

SUBJECTS = 16


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phantom cohort in which some lack the PET, and a run of CT, PET and clinical columns."""
    folder = tmp_path_factory.mktemp("volumes")
    config = PhantomConfig(subjects=SUBJECTS, size=16, seed=3, missing={"pet": 0.3})
    write_cohort(generate_phantom(config), folder / "phantom")
    cnn = {"use": "cnn3d", "channels": [2, 2], "dim": 4}
    content = {
        "title": "volumes",
        "encoders": {
            "ct": cnn,
            "pet": cnn,
            "clinical": {"use": "tabular", "dim": 4, "missing": "indicator"},
        },
        "fusion": "mean",
        "head": {"use": "cox"},
        "outcome": {"horizon": 700},
        "objective": ["cox"],
        "training": {"epochs": 1, "micro_batch": 3, "accelerator": "cpu"},
    }
    cross_validate(
        Recipe.parse(content, source="test"),
        Cohort.read(folder / "phantom/cohort.yaml"),
        folder / "cv",
        folds=2,
        replicates=0,
        progress=False,
    )
    return folder


@pytest.fixture(scope="module")
def found(made: Path) -> dict[str, Any]:
    """Entries by the name of their group."""
    cohort = Cohort.read(made / "phantom/cohort.yaml")
    content = importance_run(made / "cv", cohort, repeats=2, replicates=0).content
    return {entry["name"]: entry for entry in content["groups"]}


def test_volumes_are_one_group_each(found: dict[str, Any]) -> None:
    """Permuted as a whole; no training mean stands for a volume; the gradient is of its voxels."""
    for name in ("ct", "pet"):
        entry = found[name]
        assert entry["source"] == "modality"
        assert "value" in entry["importance"]
        assert "no columns whose training mean" in entry["ablation"]["reason"]
        assert entry["gradient"]["value"] > 0
    assert found["ct"]["moved"] == SUBJECTS
    assert 2 <= found["pet"]["moved"] < SUBJECTS


@pytest.fixture(scope="module")
def model(made: Path) -> FoldModel:
    """The first fold's model with its test subjects, in batches of three."""
    from survkit.data import Splits
    from survkit.hub import from_pretrained

    cohort = Cohort.read(made / "phantom/cohort.yaml")
    splits = Splits.read(made / "cv/splits.json", subjects=cohort.subjects)
    fold = splits.folds[0]
    rows = splits.rows(fold, cohort.subjects)
    fitted = from_pretrained(fold_folder(made / "cv", splits, fold))
    subjects = Subjects(
        cohort=cohort,
        specs=fitted.description.inputs,
        test=rows.test.tolist(),
        train=rows.train.tolist(),
        batch=3,
        cache=None,
    )
    return FoldModel(fitted.members[0], subjects, "cpu")


def test_moving_encodings_is_moving_volumes(model: FoldModel) -> None:
    """The encodings of donors are exchanged instead of their volumes: the same prediction as by
    encoding the volumes of the donors, for who has it; who lacks it is untouched.
    """
    clean = model.clean()
    groups = {group.key: group for group in own_groups(model.encoders, model.subjects.specs)}
    present = model.present["pet"]
    those = [place for place, there in enumerate(present) if there]
    order = list(range(len(present)))
    for place, taken in zip(those, those[1:] + those[:1], strict=True):
        order[place] = taken
    moved = model.permuted(groups["pet"], order)

    inputs = dict(model.inputs(range(len(order))))
    other = model.store.inputs([model.subjects.test[k] for k in order], only=["pet"])
    with torch.no_grad():
        expected = model.member(inputs | dict(other), penalties=False).parameters
    absent = [not there for there in present]
    assert any(absent)
    assert torch.allclose(moved, expected, atol=1e-6)
    assert torch.equal(moved[absent], clean[absent])
    assert not torch.allclose(moved[present], clean[present], atol=1e-6)


def test_everybody_at_their_own_place_changes_no_bit(model: FoldModel) -> None:
    """The identity, by encodings and by columns, is the clean prediction to the last bit."""
    clean = model.clean()
    order = list(range(len(model.subjects.test)))

    for group in own_groups(model.encoders, model.subjects.specs):
        assert torch.equal(model.permuted(group, order), clean)
