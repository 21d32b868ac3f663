"""``modality`` of an encoder: what a recipe and a cohort make of it, and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from tests.core.twins.conftest import SUBJECTS, WITHOUT_IMAGE, recipe, recipe_data, write_cohort

from survkit.cli import main
from survkit.compose import compose
from survkit.data import Cohort
from survkit.errors import ConfigError, DataError
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.specs import OutcomeSpec

TABLES = """
encoders:
  clinical: {use: tabular, hidden: [4]}
  linear: {use: tabular, dim: null, modality: clinical}
head: cox
outcome: {horizon: 300}
objective: cox
training: {epochs: 1, validation: 0}
"""


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Radiographs and a table."""
    return Cohort.read(write_cohort(tmp_path_factory.mktemp("cohort") / "once"))


def test_a_recipe_says_which_encoder_reads_what() -> None:
    """Modalities are those of the cohort, each once; and the stored recipe says the same."""
    plan = recipe()

    assert plan.modalities == ("xray", "clinical")
    assert plan.readers == {"xray": ("xray", "inside"), "clinical": ("clinical",)}
    assert plan.twins == {"inside": "xray"}
    assert plan.encoders["inside"].settings == {}
    assert plan.to_dict()["encoders"]["inside"] == {"use": "inside", "modality": "xray"}
    assert "modality" not in plan.to_dict()["encoders"]["xray"]
    assert Recipe.parse(yaml.safe_load(plan.to_yaml()), source="again") == plan


def test_the_own_name_is_no_twin() -> None:
    """Nor need any encoder have the modality's name."""
    data = recipe_data()
    data["encoders"]["xray"]["modality"] = "xray"
    named = Recipe.parse(data, source="r")
    data["encoders"]["pixels"] = data["encoders"].pop("xray")
    data["objective"] = "cox"
    other = Recipe.parse(data, source="r")

    assert named.twins == {"inside": "xray"}
    assert other.twins == {"inside": "xray", "pixels": "xray"}
    assert other.modalities == ("xray", "clinical")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoders.inside.modality": "X-ray"}, "encoders.inside.modality"),
        ({"encoders.inside.modality": 3}, "encoders.inside.modality"),
        (
            {"training.corruptions": [{"modality": "inside", "use": "blur"}]},
            "training.corruptions.0: the recipe has no modality 'inside'",
        ),
        (
            {"search": {"encoders.inside.modality": ["xray", "clinical"]}},
            "search.encoders.inside.modality: a search changes no encoder's modality",
        ),
        (
            {"search": {"encoders.inside": [{"use": "pixels"}]}},
            "search.encoders.inside: a search changes no encoder's modality",
        ),
    ],
)
def test_a_recipe_refuses(changes: Mapping[str, Any], words: str) -> None:
    """Whatever the cohort."""
    import json

    overrides = [f"{path}={json.dumps(value)}" for path, value in changes.items()]

    with pytest.raises(ConfigError) as caught:
        Recipe.parse(recipe_data(), source="r", overrides=overrides)

    assert words in str(caught.value)


def test_a_twin_is_the_modality_under_another_name(cohort: Cohort) -> None:
    """Same subjects, values, masks and declaration; the cohort itself stays what it was."""
    twin = cohort.with_twins({"inside": "xray"})
    spec = twin.input_spec("inside", [0, 1])
    first, second = (twin.read_sample(name, 5, spec) for name in ("xray", "inside"))

    assert twin.modalities == cohort.modalities == ("xray", "clinical")
    assert twin.fingerprint() == cohort.fingerprint()
    assert spec == cohort.input_spec("xray", [0, 1])
    assert np.flatnonzero(~twin.available("inside")).tolist() == list(WITHOUT_IMAGE)
    assert first is not None
    assert second is not None
    assert torch.equal(first.values, second.values)
    assert first.mask is not None
    assert second.mask is not None
    assert torch.equal(first.mask, second.mask)
    assert twin.declaration("inside") == cohort.declaration("xray")
    assert twin.subset([5]).read_sample("inside", 0, spec) is not None
    with pytest.raises(DataError, match="no modality is named 'inside'"):
        cohort.available("inside")


def test_the_last_word_on_twins_counts(cohort: Cohort) -> None:
    """A model knows its own twins: those of an earlier one are no longer there."""
    again = cohort.with_twins({"inside": "xray"}).with_twins({"age": "clinical"})

    assert again.twins == {"age": "clinical"}
    assert len(again.available("age")) == SUBJECTS
    with pytest.raises(DataError, match="no modality is named 'inside'"):
        again.available("inside")


@pytest.mark.parametrize(
    ("twins", "words"),
    [
        ({"clinical": "xray"}, "the cohort has a modality 'clinical' of its own"),
        ({"inside": "xrays"}, "the cohort has none of that name. Did you mean 'xray'"),
        ({"a": "b", "b": "xray"}, "'b' is an encoder, which reads 'xray'; name the modality"),
        ({"a": "b", "b": "a"}, "'b' is an encoder, which reads 'a'; name the modality itself"),
    ],
)
def test_a_cohort_refuses(twins: dict[str, str], words: str, cohort: Cohort) -> None:
    """A name that would say something else than the cohort file."""
    with pytest.raises(ConfigError) as caught:
        cohort.with_twins(twins)

    assert words in str(caught.value)
    assert str(cohort.source) in str(caught.value)


def test_composing_takes_what_the_cohort_gives(cohort: Cohort, registry: Registry) -> None:
    """Specs by modality are enough; every encoder is a part of its own, with its own penalties."""
    specs = {name: cohort.input_spec(name, range(8)) for name in cohort.modalities}
    outcome = OutcomeSpec(causes=("death",), horizon=300.0, time_grid=(150.0, 300.0))

    made = compose(recipe(), specs, outcome, registry)

    assert made.model.modalities == ("clinical", "inside", "xray")
    assert made.objective.penalty_weights == {"xray.energy": 0.1}
    lost = specs["clinical"]
    with pytest.raises(ConfigError, match=r"encoders\.xray: there is no such modality"):
        compose(recipe(), {"clinical": lost}, outcome, registry)


NOT_IN_THE_COHORT = [
    (["encoders.linear.modality=clinicle"], "Did you mean 'clinical'"),
    (["encoders.xray={use: tabular, modality: clinical}"], "a modality 'xray' of its own"),
    (
        ["encoders.third={use: tabular, modality: linear}"],
        "'linear' is an encoder, which reads 'clinical'",
    ),
]
NO_SETTING = [
    ([f"{part}={{use: {name}, modality: clinical}}"], "has no setting 'modality'")
    for part, name in (("head", "cox"), ("fusion", "concat"), ("objective", "cox"))
]


@pytest.mark.parametrize(
    ("command", "changes", "words"),
    [
        *((one, *case) for one in ("fit", "cv", "cost", "prepare") for case in NOT_IN_THE_COHORT),
        *((one, *case) for one in ("fit", "cv") for case in NO_SETTING),
    ],
)
def test_commands_refuse_in_one_line(
    command: str,
    changes: list[str],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before anything trains; the exit code is that of a wrong input."""
    file = write_cohort(tmp_path / "once")
    (tmp_path / "recipe.yaml").write_text(TABLES)
    line = [command, str(tmp_path / "recipe.yaml"), "--cohort", str(file)]
    if command in ("fit", "cv"):
        line += ["--out", str(tmp_path / "run"), "--quiet"]
    for change in changes:
        line += ["--set", change]

    assert main(line) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert not (tmp_path / "run").exists()
