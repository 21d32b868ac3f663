"""Counts against closed forms and a published network."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from torch import nn

from survkit.cli import main
from survkit.cli.cost import _billions
from survkit.cost import cost
from survkit.cost.count_flops import count_flops
from survkit.data import Cohort
from survkit.errors import ConfigError, DataError
from survkit.hub.model_files import WEIGHTS_FILE
from survkit.plugins import load_plugins
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.training import fit

SUBJECTS, BAG, WIDTH = 40, 5, 6
SLICES = '''
    """A frozen trunk over tokens, and a projection of what it gives."""

    import torch
    from torch import nn

    from survkit.flow import Encoding
    from survkit.specs import EncodingSpec


    class Slices(nn.Module):
        """Prepares (token, 6) to (token, 8)."""

        encoding = EncodingSpec(dim=3, tokens=None)

        def __init__(self, input) -> None:
            super().__init__()
            self.trunk = nn.Linear(6, 8).requires_grad_(False)
            self.out = nn.Linear(8, 3)

        def load_weights(self):
            raise RuntimeError("weights are not read to count")

        def prepare(self, sample):
            return self.trunk(sample.values)

        def preparation_fingerprint(self):
            return "1"

        def forward(self, input, *, penalties=True):
            tokens = self.out(input.values)
            return Encoding(tokens=tokens, summary=tokens.mean(1), present=input.present,
                            token_mask=input.token_mask)
'''


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The core's parts and an encoder of tokens."""
    folder = tmp_path_factory.mktemp("slices")
    (folder / "counted_slices.py").write_text(dedent(SLICES))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        found = Registry()
        load_plugins(found, [])
        found.add("encoder", "counted", "counted_slices:Slices", summary="tokens")
        yield found
        sys.modules.pop("counted_slices", None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort of a table of three numbers, and of bags of five tokens that the last one lacks."""
    folder, random = tmp_path_factory.mktemp("cohort"), np.random.default_rng(0)
    names = [f"s{k:02d}" for k in range(SUBJECTS)]
    columns = {name: random.normal(size=SUBJECTS) for name in ("a", "b", "c")}
    days = random.uniform(50, 900, SUBJECTS).round(1)
    pd.DataFrame({"id": names, "days": days, "event": [1, 0] * 20} | columns).to_csv(
        folder / "patients.csv", index=False
    )
    bags = {name: random.normal(size=(BAG, WIDTH)) for name in names[:-1]}
    np.savez(folder / "bags.npz", **bags)
    content = {
        "name": "toy", "table": "patients.csv", "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {
            "clinical": {"kind": "table", "columns": ["a", "b", "c"]},
            "bags": {"kind": "vector", "file": "bags.npz", "tokens": True},
        },
    }  # fmt: skip
    (folder / "cohort.yaml").write_text(yaml.safe_dump(content))
    return folder


def recipe(**changes: Any) -> Recipe:
    content: dict[str, Any] = {
        "encoders": {
            "clinical": {"use": "tabular", "hidden": [7], "dim": 4, "missing": "refuse"},
            "bags": {"use": "counted"},
        },
        "head": {"use": "cox"},
        "outcome": {"horizon": 400},
        "objective": ["cox"],
        "training": {"epochs": 1, "accelerator": "cpu", "monitor": "loss"},
    }
    return Recipe.parse(content | changes, source="test")


def test_every_part_is_its_closed_form(folder: Path, registry: Registry) -> None:
    """Two operations per multiply-add; weights with biases; the trunk counts as prepared."""
    found = cost(recipe(), Cohort.read(folder / "cohort.yaml"), registry=registry)

    table, bags, head = (
        found.parts[name] for name in ("encoders.clinical", "encoders.bags", "head")
    )
    assert table.flops == 2 * (3 * 7 + 7 * 4)
    assert (table.parameters, table.trainable) == (3 * 7 + 7 + 7 * 4 + 4,) * 2
    assert (bags.prepare_flops, bags.flops) == (2 * BAG * 6 * 8, 2 * BAG * 8 * 3)
    assert (bags.parameters, bags.trainable) == (6 * 8 + 8 + 8 * 3 + 3, 8 * 3 + 3)
    assert (head.flops, head.parameters) == (2 * 7, 7)
    fusion = found.parts["fusion"]  # a learned vector stands in for each absent modality
    assert (fusion.flops, fusion.parameters) == (0, 4 + 3)
    total = found.total
    assert total.to_json()["gmacs"] * 2 == total.to_json()["gflops"]
    assert total.to_json()["gflops"] * 1e9 == pytest.approx(98 + 480 + 240 + 14)


def test_tokens_are_counted_as_asked(folder: Path, registry: Registry) -> None:
    """The encoder's own part runs on so many, what is prepared grows in proportion."""
    cohort = Cohort.read(folder / "cohort.yaml")
    found = cost(recipe(), cohort, registry=registry, tokens=72)

    bags = found.parts["encoders.bags"]
    assert (bags.prepare_flops, bags.flops) == (2 * 72 * 6 * 8, 2 * 72 * 8 * 3)
    assert found.tokens == {"bags": (BAG, 72)}
    alone = recipe(encoders={"clinical": {"use": "tabular"}})
    with pytest.raises(ConfigError, match="no encoder of this recipe takes a varying number"):
        cost(alone, cohort, registry=registry, tokens=72)


def test_members_count_together(folder: Path, registry: Registry) -> None:
    """A prediction needs all of them, and all are saved."""
    cohort = Cohort.read(folder / "cohort.yaml")
    one = cost(recipe(), cohort, registry=registry)
    three = cost(recipe(training={"members": 3}), cohort, registry=registry)

    assert three.total.flops == 3 * one.total.flops
    assert three.total.parameters == 3 * one.total.parameters
    assert three.saved_bytes > 2.5 * one.saved_bytes


def test_the_saved_model_has_as_many_bytes_and_training_says_the_sizes(
    folder: Path, registry: Registry, tmp_path: Path
) -> None:
    """Heads without a baseline, whose size only the data know, have exactly that file."""
    plan = recipe(
        encoders={"clinical": {"use": "tabular"}}, head={"use": "weibull"}, objective="weibull"
    )
    cohort = Cohort.read(folder / "cohort.yaml")
    fitted = fit(plan, cohort, tmp_path / "run", progress=False, registry=registry)
    found = cost(plan, cohort, registry=registry)

    assert found.saved_bytes == (tmp_path / "run" / WEIGHTS_FILE).stat().st_size
    facts = json.loads((tmp_path / "run/training.json").read_text())["parts"]
    assert facts == fitted.description.training["parts"]
    assert facts == {
        role: {"parameters": part.parameters, "trainable": part.trainable}
        for role, part in found.parts.items()
    }


def test_a_subject_must_be_there_and_whole(folder: Path, registry: Registry) -> None:
    """One line says who is missing what."""
    cohort = Cohort.read(folder / "cohort.yaml")
    with pytest.raises(DataError, match="no subject is named 'x00'"):
        cost(recipe(), cohort, registry=registry, subject="x00")
    with pytest.raises(DataError, match="subject 's39' has no bags"):
        cost(recipe(), cohort, registry=registry, subject="s39")
    assert cost(recipe(), cohort, registry=registry, subject="s07").subject == "s07"


@pytest.mark.parametrize("fast", [True, False])
def test_attention_is_counted_on_every_path(fast: bool) -> None:
    """A transformer layer in eval mode has a fused path that a counter cannot see into."""
    layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True).eval()
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(fast)
    try:
        with count_flops() as counted:
            layer(torch.randn(1, 5, 8))
        assert torch.backends.mha.get_fastpath_enabled() == fast
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
    projections, products, feed = 5 * 8 * 32, 2 * 5 * 5 * 8, 2 * 5 * 8 * 16
    assert counted.flops == 2 * (projections + products + feed)


def test_the_convention_is_that_of_the_field() -> None:
    """EfficientNet-B0 at 224 x 224 has 0.39 GMACs (Tan and Le 2019 print it as 0.39B FLOPs), 5.3
    million parameters; 72 such slices are 28 GMACs or 56 GFLOPs.
    """
    timm = pytest.importorskip("timm")
    network = timm.create_model("efficientnet_b0", pretrained=False).eval()
    with count_flops() as counted:
        network(torch.zeros(1, 3, 224, 224))

    assert counted.flops / 2e9 == pytest.approx(0.39, abs=0.015)
    assert 72 * counted.flops / 1e9 == pytest.approx(56, abs=2)
    assert sum(one.numel() for one in network.parameters()) == pytest.approx(5.3e6, rel=0.01)


def test_the_command_prints_a_table_and_json(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Several recipes in one table; a baseline has no network to count."""
    monkeypatch.chdir(folder)
    plan = recipe(encoders={"clinical": {"use": "tabular"}}).to_yaml()
    Path("small.yaml").write_text(plan)
    Path("large.yaml").write_text(plan.replace("dim: 16", "dim: 32"))
    Path("ridge.yaml").write_text(
        "baseline: ridge-cox\ninputs: [clinical]\noutcome: {horizon: 400}\n"
    )

    line = "cost small.yaml large.yaml --cohort cohort.yaml --set encoders.clinical.dim=9"
    assert main(line.split()) == 0
    printed = capsys.readouterr().out
    assert printed.count("encoders.clinical") == 2
    assert {"small.yaml", "large.yaml"} < {line.strip() for line in printed.splitlines()}
    assert "1 multiply-add = 2 FLOPs" in printed
    assert main([*line.split(), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["small.yaml"] == found["large.yaml"]
    assert found["small.yaml"]["parts"]["head"]["flops"] == 2 * 9
    assert main(["cost", "ridge.yaml", "--cohort", "cohort.yaml"]) == 2
    assert "names no network" in capsys.readouterr().err
    assert main(["cost", "small.yaml", "small.yaml", "--cohort", "cohort.yaml"]) == 2


def test_no_outcome_is_needed_but_for_a_grid_of_quantiles(folder: Path, registry: Registry) -> None:
    """A horizon beyond all follow-up trains nothing, but it can be counted."""
    cohort, far = Cohort.read(folder / "cohort.yaml"), {"horizon": 5000}
    found = cost(recipe(outcome=far), cohort, registry=registry)

    assert found.total == cost(recipe(), cohort, registry=registry).total
    by_events = far | {"grid": {"kind": "quantile", "intervals": 4}}
    with pytest.raises(ConfigError, match="followed for longer"):
        cost(recipe(outcome=by_events), cohort, registry=registry)


@pytest.mark.parametrize(
    ("count", "shown"), [(104_800, "0.000105"), (54_321_000_000, "54.3"), (2.5e13, "25,000")]
)
def test_billions_take_few_places(count: float, shown: str) -> None:
    """Three digits, and no powers of ten where there are many."""
    assert _billions(count) == shown


def test_a_broken_recipe_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of several, the one that fails."""
    content = {
        "encoders": {"clinical": {"use": "tabullar"}},
        "head": "cox", "outcome": {"horizon": 400}, "objective": "cox",
    }  # fmt: skip
    broken, whole = folder / "broken.yaml", folder / "whole.yaml"
    broken.write_text(yaml.safe_dump(content))
    whole.write_text(yaml.safe_dump(content | {"encoders": {"clinical": {"use": "tabular"}}}))

    code = main(["cost", str(whole), str(broken), "--cohort", str(folder / "cohort.yaml")])

    assert code == 2
    assert f"{broken}: no encoder is named 'tabullar'" in capsys.readouterr().err
