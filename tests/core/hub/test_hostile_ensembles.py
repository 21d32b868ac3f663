"""An ensemble from a stranger is refused as strictly as a model: in bounded time and memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.core.hub.refusals import refused, set_path
from tests.hub_server.small_model import rewrite, rewrite_config, save_small_ensemble

from survkit.errors import RunError, UnknownComponentError
from survkit.hub import from_pretrained, load_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_small_ensemble(tmp_path / "ensemble")


def test_every_tensor_comes_back_with_its_bits(folder: Path) -> None:
    """Under the number of its model, and of its network in that."""
    stored = load_file(folder / "model.safetensors")
    found = {
        f"models.{number}.members.{member}.{name}": value
        for number, model in enumerate(from_pretrained(folder).models)
        for member, network in enumerate(model.members)
        for name, value in network.state_dict().items()
    }

    assert {*found} == {*stored}
    assert all(torch.equal(value, stored[name]) for name, value in found.items())
    heads = [one for one in stored if one.startswith("models.0.members.0.head") and "weight" in one]
    assert heads
    for name in heads:
        assert not torch.equal(stored[name], stored[name.replace("models.0", "models.1")])


def of_model(number: int, *keys: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Return what sets one place in the description of one model."""
    change = set_path(*keys, value=value)
    return lambda config: change(config["models"][number])


RNA, FUSION = ("components", "encoders.rna"), ("components", "fusion")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_path("models", value=[]), "damaged .*a list of one model or more"),
        (set_path("models", value={}), "damaged .*a list of one model or more"),
        (set_path("models", value=7), "damaged"),
        (set_path("models", value=[{}, {}, {}]), "damaged .*format"),
        (set_path("models", value=["x"] * 3), "damaged"),
        (lambda config: config.pop("models"), "damaged .*models"),
        (lambda config: config.pop("training"), "damaged .*training"),
        (lambda config: config["models"].pop(), r"no part of the model is named models\.2\."),
        (lambda config: config["models"].append(config["models"][0]), "has 3 models, but .* of 4"),
        (lambda config: config.update(models=config["models"] * 300), "of 900"),
        (of_model(1, "format", value="survkit-ensemble/1"), "the format of model 1 is not"),
        (of_model(1, "members", value=10**9), "has 1 networks, but .* 1000000000"),
        (of_model(1, "members", value=0), "members is a whole number"),
        (of_model(2, *RNA, "settings", "dim", value=10**9), r"ask for .* bytes of memory"),
        (of_model(2, "inputs", "rna", "shape", value=[10**9]), r"ask for .* bytes of memory"),
        (of_model(2, "inputs", "rna", "shape", value=["x"]), "damaged"),
        (of_model(2, "outcome", "horizon", value=3.0), "damaged .*must end at the horizon"),
        (
            of_model(2, "outcome", "time_unit", value="months"),
            "models 0 and 2 differ in causes, ho",
        ),
        (of_model(2, "outcome", "causes", value=["a", "b"]), "models 0 and 2 differ in causes"),
        (of_model(2, "twins", value={"rna": "dna"}), "differ in the modalities"),
        (of_model(1, "api_version", value="99.0"), "pip install --upgrade survkit-core"),
        (of_model(1, *FUSION, "use", value="survkit/mean"), "models 0 and 1 differ in fusion"),
        (of_model(1, *FUSION, "use", value="x\n" * 9000), "models 0 and 1 differ in fusion"),
    ],
)
def test_configurations_that_no_ensemble_has(
    change: Callable[[dict[str, Any]], object], said: str, folder: Path
) -> None:
    """Of all models one lies, or there are more or fewer than their weights."""
    rewrite_config(folder, change)

    refused(folder, RunError, said)


def test_a_class_path_is_never_imported(folder: Path) -> None:
    """Names of every model are looked up in the registry and nowhere else."""
    for number in range(3):
        rewrite_config(folder, of_model(number, *FUSION, "use", value="os:system"))

    refused(folder, UnknownComponentError, "fusion is os:system of survkit-core")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("members.0.x", r"no part of the model is named members\.0\.x"),
        ("models.3.members.0.x", r"no part of the model is named models\.3\.members\.0\.x"),
        ("models.01.members.0.x", r"no part of the model is named models\.01\."),
        ("models.1.members.1.x", r"no part of the model is named models\.1\.members\.1\.x"),
        ("models.1.x", r"no part of the model is named models\.1\.x"),
        ("models.1.members.0.x", "do not fit the components"),
        (f"models.{'9' * 5000}.x", "no part of the model is named"),
    ],
)
def test_tensors_of_no_model(name: str, said: str, folder: Path) -> None:
    """Every tensor has its place in one network of one model."""
    rewrite(folder, lambda tensors: tensors.update({name: torch.zeros(1)}))

    with pytest.raises(RunError, match=said):
        from_pretrained(folder)


def test_missing_and_bent_tensors_are_listed(folder: Path) -> None:
    """In one error, as of a single model."""
    names = [name for name in load_file(folder / "model.safetensors") if "models.1" in name]

    def change(tensors: dict[str, torch.Tensor]) -> None:
        del tensors[names[-1]]
        tensors[names[-2]] = torch.zeros(7, 7, 7)

    rewrite(folder, change)
    with pytest.raises(RunError) as caught:
        from_pretrained(folder)
    for name in names[-2:]:
        assert name.removeprefix("models.1.members.0.") in str(caught.value)


def test_a_model_without_tensors(folder: Path) -> None:
    """Nothing is built for it."""

    def change(tensors: dict[str, torch.Tensor]) -> None:
        for name in [one for one in tensors if one.startswith("models.1.")]:
            del tensors[name]

    rewrite(folder, change)
    refused(folder, RunError, "has 2 models, but .* speaks of 3")


def test_what_looks_inside_of_networks_refuses_it(folder: Path) -> None:
    """Before any weight is read."""
    (folder / "model.safetensors").unlink()

    with pytest.raises(RunError, match=r"is an ensemble .* RUN/fold-0, or a refit"):
        load_model(folder)
    assert json.loads((folder / "config.json").read_text())["format"] == "survkit-ensemble/1"
