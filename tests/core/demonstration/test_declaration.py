"""What a demonstration may say, and what is said of one that cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from survkit.demonstration import Demonstration
from survkit.errors import ConfigError, UnknownComponentError
from survkit.phantom import PhantomConfig
from survkit.phantom.truth import CauseEffects
from survkit.plugins import default_registry
from survkit.recipe import Recipe
from survkit.registry import Registry


def content(**changes: Any) -> dict[str, Any]:
    """Return a demonstration as plain data."""
    return {
        "phantom": {"size": 16, "modalities": ["ct"], "effects": {"size": 1.5}},
        "subjects": {"training": 30, "fresh": 20},
        "changes": ["training.epochs=9"],
        "quick": {"subjects": {"training": 12, "fresh": 10}},
        **changes,
    }


def test_it_is_a_phantom_cohort() -> None:
    """Lists become what the phantom takes, effects those on the one cause; seed and number are the
    command's.
    """
    found = Demonstration.parse(content(), source="mine")

    assert found.phantom_config(30, seed=4) == PhantomConfig(
        subjects=30, size=16, seed=4, modalities=("ct",), effects=(CauseEffects(size=1.5),)
    )
    assert found.size(quick=False).subjects.training == 30
    assert found.size(quick=False).changes == ["training.epochs=9"]
    assert found.size(quick=True).subjects.fresh == 10
    assert found.size(quick=True).changes == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phantom": {"sise": 16}}, r"no setting is named 'sise'. Did you mean 'size'"),
        ({"phantom": {"seed": 3}}, "no setting is named 'seed'"),
        ({"phantom": {"effects": {"sise": 1.0}}}, r"no factor is 'sise'. Did you mean 'size'"),
        ({"phantom": {"effects": {"size": "much"}}}, "size is a number, not 'much'"),
        ({"phantom": {"effects": [1.0]}}, r"numbers by factor, such as \{size: 1.5\}"),
        ({"phantom": {"modalities": ["mri"]}}, "must be different ones of ct, pet, cxr"),
        ({"phantom": {"size": 8}}, "size must be a whole number from 16 to 128, not 8"),
        ({"phantom": {"censored": "many"}}, "a setting is of the wrong type"),
        ({"phantom": {"missing": 0.2}}, "a setting is of the wrong type"),
        ({"phantom": {"baseline": {}}}, "no setting is named 'baseline'"),
        ({"subjects": {"training": 3, "fresh": 20}}, "subjects.training"),
        ({"subject": 3}, "Did you mean 'subjects'"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, Any], message: str) -> None:
    """In one line that names the demonstration, before anything is drawn."""
    with pytest.raises(ConfigError, match=f"^mine: .*{message}"):
        Demonstration.parse(content(**change), source="mine")


def test_that_of_the_core_fits_its_recipe() -> None:
    """The plugins' are held to it by the conformance kit."""
    registry = default_registry()
    found = Demonstration.read("demo", registry)
    for quick in (False, True):
        recipe = Recipe.read("demo", overrides=found.size(quick=quick).changes)

        assert {*recipe.modalities} <= {*found.phantom_config(10, seed=0).modalities}


def test_a_recipe_without_one_is_told_from_no_recipe() -> None:
    """And close matches help after a slip."""
    registry = Registry()
    registry.add("recipe", "plain", "survkit:recipes/demo.yaml", summary="has no demonstration")
    registry.add("demonstration", "demo", "survkit:demonstration/demo.yaml", summary="has one")

    with pytest.raises(
        UnknownComponentError,
        match=r"no demonstration is named 'plain'. There is a recipe of that name. .*session/demo",
    ):
        Demonstration.read("plain", registry)
    with pytest.raises(UnknownComponentError, match=r"'dmeo'. Did you mean 'session/demo'"):
        Demonstration.read("dmeo", registry)
