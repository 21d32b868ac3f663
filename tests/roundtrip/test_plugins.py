"""A model of every plugin, from the Hub into an environment that has core and that plugin alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.roundtrip.conftest import MakeFresh
from tests.roundtrip.models import MODELS, PublishedModel, assert_same_bits, predict

CORE, *PLUGINS = MODELS
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
_LOOK = """
import importlib.metadata, importlib.util, json, pathlib, sys, survkit
names = {each.name for each in importlib.metadata.distributions()}
print(json.dumps({
    "survkit": str(pathlib.Path(survkit.__file__).resolve()),
    "ours": sorted(name for name in names if name.startswith("survkit")),
    "there": [name for name in sys.argv[1:] if importlib.util.find_spec(name)],
}))
"""


@each_model
def test_the_environment_is_a_strangers(
    model: PublishedModel, fresh: MakeFresh, tmp_path: Path
) -> None:
    """It imports survkit from the wheel, and has nothing of other plugins and what they need."""
    environment = fresh(model.distribution)

    found = json.loads(environment.run("-c", _LOOK, *model.absent, cwd=tmp_path).stdout)
    listed = json.loads(environment.survkit("list --json", cwd=tmp_path).stdout)

    assert Path(found["survkit"]).is_relative_to(environment.packages.resolve())
    assert found["ours"] == sorted({"survkit-core", model.distribution})
    assert found["there"] == []
    assert {each["distribution"] for each in listed} == {*found["ours"]}


@pytest.mark.parametrize("model", PLUGINS, ids=lambda model: model.name)
def test_a_model_from_the_hub_predicts_the_same_bits(
    model: PublishedModel, fresh: MakeFresh, trained: Path, tmp_path: Path
) -> None:
    """Of subjects whom nobody trained on, by a process that has never seen the model."""
    line = predict(f"org/{model.name}", trained / f"{model.name}-others", "curves.parquet")

    done = fresh(model.distribution).survkit(line, cwd=tmp_path)

    assert f"model: org/{model.name} at " in done.stderr
    assert_same_bits(tmp_path / "curves.parquet", trained / f"{model.name}.parquet")


def test_core_alone_pulls_and_predicts_the_same_bits(
    fresh: MakeFresh, trained: Path, tmp_path: Path
) -> None:
    """Of a table, from a folder that ``survkit pull`` made, without anything for images."""
    others = trained / f"{CORE.name}-others"

    fresh(CORE.distribution).lines(
        f"pull org/{CORE.name} --to carried",
        predict("carried", others, "curves.parquet"),
        cwd=tmp_path,
    )

    carried, model = tmp_path / "carried", trained / CORE.name
    for file in ("config.json", "model.safetensors"):
        assert (carried / file).read_bytes() == (model / file).read_bytes()
    assert_same_bits(tmp_path / "curves.parquet", trained / f"{CORE.name}.parquet")
