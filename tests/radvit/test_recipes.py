"""The recipes: the paper's numbers in them, what they share, and that they compose."""

from __future__ import annotations

from typing import Any

import pytest

from survkit.compose import compose
from survkit.errors import CompositionError, ConfigError
from survkit.plugins import default_registry
from survkit.recipe import Recipe
from survkit.reproduction import Reproduction
from survkit.reproduction.row_plan import plan_rows
from survkit.specs import InputSpec, OutcomeSpec

RECIPES = sorted(
    each.name for each in default_registry().iterate("recipe") if each.plugin == "radvit"
)
SWEEPS: dict[str, tuple[float, ...]] = {
    "sweep-alpha": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    "sweep-lambda": (0.0, 0.1, 0.2, 0.3, 0.5),
    "sweep-tau": (0.5, 0.2, 0.1, 0.07, 0.03, 0.01),
}
OUTCOME = OutcomeSpec(causes=("event",), horizon=60.0, time_grid=(30.0, 60.0))


def read(name: str) -> Recipe:
    return Recipe.read(f"radvit/{name}")


def content(name: str) -> dict[str, Any]:
    return read(name).to_dict()


def test_covid_cxr_is_the_papers_hybrid() -> None:
    """144 patches of 32 for both branches, one radiomics block, alpha = lambda = tau = 0.5, and the
    training of the third party's account.
    """
    found = content("covid-cxr")
    encoders, training = found["encoders"], found["training"]

    assert encoders["cxr"]["backbone"] == "vit_base_patch32_384"
    assert (encoders["cxr"]["tune"], encoders["cxr"]["blocks"]) == ("last-blocks", 2)
    assert encoders["radiomics"]["modality"] == "cxr"
    assert (encoders["radiomics"]["patch"], encoders["radiomics"]["depth"]) == (32, 1)
    assert found["fusion"]["alpha"] == 0.5
    assert found["head"] == {"use": "cox"}
    assert [(term["use"], term["weight"]) for term in found["objective"]] == [
        ("cox", 0.5),
        ("radvit/contrastive-alignment", 0.5),
    ]
    assert found["objective"][1]["temperature"] == 0.5
    assert found["objective"][0]["ties"] == "breslow"
    optimizer = training["optimizer"]
    assert (optimizer["use"], optimizer["lr"], optimizer["weight_decay"]) == ("adam", 1e-4, 1e-2)
    assert (training["epochs"], training["patience"], training["monitor"]) == (200, 20, "loss")


@pytest.mark.parametrize("name", ["covid-cxr", "small"])
def test_a_branch_alone_is_the_branch_of_the_hybrid(name: str) -> None:
    """Encoder, outcome, head and training are equal; copies cannot drift apart."""
    hybrid = content(name)
    (image,) = hybrid["encoders"].keys() - {"radiomics"}
    for suffix, encoder in (("vit", image), ("radiomics", "radiomics")):
        alone = content(f"{name}-{suffix}")

        assert alone["encoders"] == {encoder: hybrid["encoders"][encoder]}, suffix
        for key in ("outcome", "head", "search"):
            assert alone[key] == hybrid[key], (suffix, key)
        assert alone["training"] == without_rates_of(hybrid["training"], encoder), suffix


def without_rates_of(training: dict[str, Any], encoder: str) -> dict[str, Any]:
    """Return the training section without the rates of encoders other than this one."""
    rates = training["optimizer"]["part_lr"]
    own = {part: rate for part, rate in rates.items() if part == f"encoders.{encoder}"}
    return training | {"optimizer": training["optimizer"] | {"part_lr": own}}


@pytest.mark.parametrize("name", ["covid-cxr", "small"])
def test_the_weights_of_the_total_loss_sum_to_one(name: str) -> None:
    """(1 - lambda) L_Cox + lambda L_CL."""
    assert sum(term["weight"] for term in content(name)["objective"]) == pytest.approx(1.0)


@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("small")])
def test_small_recipes_compose_as_written(name: str) -> None:
    """Over one X-ray that both branches read; nothing is downloaded."""
    image = InputSpec(kind="image", shape=(1, 96, 96))
    recipe = read(name)
    outcome = OutcomeSpec(causes=("death",), horizon=recipe.outcome.horizon, time_grid=(1095.0,))

    composition = compose(recipe, {"cxr": image}, outcome, default_registry())

    assert composition.model.modalities == tuple(sorted(recipe.encoders))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("covid")])
def test_covid_recipes_compose_as_written(name: str) -> None:
    """At full size, but from random numbers instead of published weights."""
    image = InputSpec(kind="image", shape=(1, 384, 384))
    recipe = read(name)
    if "cxr" in recipe.encoders:
        recipe = recipe.with_value("encoders.cxr.weights", None)
        recipe = recipe.with_value("encoders.cxr.tune", "all")

    compose(recipe, {"cxr": image}, OUTCOME, default_registry())


def test_a_windowed_x_ray_of_another_size_is_refused_while_composing() -> None:
    """Patches of 32 do not tile 400; the sentence says which size would do."""
    image = InputSpec(kind="image", shape=(1, 400, 400))
    recipe = read("covid-cxr-radiomics")

    with pytest.raises(CompositionError, match=r"it is 400 x 400; declare size: \[416, 416"):
        compose(recipe, {"cxr": image}, OUTCOME, default_registry())


@pytest.mark.parametrize("name", ["hybrid", *SWEEPS])
def test_reproductions_publish_nothing_and_can_be_planned(name: str) -> None:
    """None of the paper's numbers is known; rows agree on who is tested and until when."""
    table = Reproduction.read(f"radvit/{name}")

    plans = plan_rows(table.rows, (), None, default_registry())

    assert all(row.published is None for row in table.rows)
    assert any("n/a" in note for note in table.notes)
    assert {plan.recipe.outcome.horizon for plan in plans} == {60.0}


def test_the_hybrid_table_runs_without_published_weights() -> None:
    """Settings of the image encoder change the rows that have one, and leave the other as it is."""
    changes = ("encoders.cxr.weights=null", "encoders.cxr.tune=all", "training.epochs=2")
    rows = Reproduction.read("radvit/hybrid").rows

    plans = plan_rows(rows, changes, None, default_registry())

    assert [plan.recipe.training.epochs for plan in plans] == [2, 2, 2]
    found = {plan.row.label: plan.recipe.encoders.get("cxr") for plan in plans}
    assert found.pop("radiomics alone") is None
    assert [each and each.settings["weights"] for each in found.values()] == [None, None]


def test_settings_of_an_encoder_that_no_row_has_are_refused() -> None:
    """Else a misspelt name would change nothing."""
    rows = Reproduction.read("radvit/hybrid").rows

    with pytest.raises(ConfigError, match=r"encoders\.cxxr\.use"):
        plan_rows(rows, ("encoders.cxxr.weights=null",), None, default_registry())


@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_sets_what_its_labels_say(name: str) -> None:
    """Each row changes its one number; the row of the paper's default is the recipe itself."""
    table = Reproduction.read(f"radvit/{name}")
    plans = plan_rows(table.rows, (), None, default_registry())
    title = {"title": ""}
    default = content("covid-cxr") | title

    found = []
    for plan in plans:
        data = plan.recipe.to_dict()
        cox, contrast = data["objective"]
        assert cox["weight"] + contrast["weight"] == pytest.approx(1.0)
        place = {"alpha": data["fusion"]["alpha"], "lambda": contrast["weight"],
                 "tau": contrast["temperature"]}  # fmt: skip
        found.append(place[name.removeprefix("sweep-")])
        if table.reference == plan.row.label:
            assert data | title == default

    assert tuple(found) == SWEEPS[name]
    labels = [float(row.label.split()[1]) for row in table.rows]
    assert tuple(labels) == SWEEPS[name]
