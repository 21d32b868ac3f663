"""The paper's tables as they are shipped: readable, and with no number that was not published."""

from __future__ import annotations

from importlib.resources import files

import pytest

from survkit.component import CORE_PLUGIN, Plugin
from survkit.components import survkit_register as core
from survkit.registry import Registry
from survkit.reproduction import Reproduction
from survkit.reproduction.row_plan import plan_rows
from survkit.safe_yaml import parse_yaml
from survkit_slicetention.plugin import survkit_register as slicetention

PUBLISHED = {
    "table3": {"slice attention (last)": 0.584, "ResNet3D-18 (last)": 0.507},
    "table4": {"soft attention": 0.584},
    "table5": {"EfficientNet-B0": 0.584},
    "question4": {"LUNG1 pretraining": 0.579, "ImageNet alone": 0.503},
}
DERIVED = {"ResNet3D-18 (last)"}


def read(name: str) -> Reproduction:
    file = files("survkit_slicetention").joinpath(f"reproductions/{name}.yaml")
    return Reproduction.parse(parse_yaml(file.read_text("utf-8"), source=name), source=name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_only_recovered_numbers_are_given(name: str) -> None:
    """All other rows say that nothing is published; derived values say so; rows name recipes."""
    table = read(name)

    given = {row.label: row.published for row in table.rows if row.published is not None}
    assert {label: one.value for label, one in given.items()} == PUBLISHED[name]
    assert {label for label, one in given.items() if "derived" in one.note} == DERIVED & set(given)
    assert all(row.recipe.startswith("slicetention/lung1") for row in table.rows)
    assert table.cohort == ("CLARO" if name == "question4" else "LUNG1")


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_row_can_be_planned(name: str) -> None:
    """The recipes are shipped, and agree on who is tested and until when."""
    registry = Registry()
    for plugin, register in ((CORE_PLUGIN, core), ("slicetention", slicetention)):
        with registry.adding_for(Plugin(plugin, f"survkit-{plugin}", "0")):
            register(registry)

    assert len(plan_rows(read(name).rows, (), None, registry)) == len(read(name).rows)


def test_every_file_is_looked_at() -> None:
    """A new table must say here what it publishes."""
    folder = files("survkit_slicetention").joinpath("reproductions")
    assert {one.name.removesuffix(".yaml") for one in folder.iterdir()} == set(PUBLISHED)


def test_the_transfer_starts_from_a_named_run() -> None:
    """One row of question 4 needs the weights of a run on LUNG1, the other none."""
    assert [row.init_from for row in read("question4").rows] == ["lung1", None]
