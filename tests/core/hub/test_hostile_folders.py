"""A model folder from a stranger: refused in bounded time and memory, and nothing of it runs."""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.core.hub.refusals import refused, set_path
from tests.hub_server.small_model import rewrite, rewrite_config, rewrite_weights

from survkit.errors import RunError, UnknownComponentError, UserError
from survkit.hub import from_pretrained
from survkit.hub.build_budget import BuildBudget, OverBudgetError


class Trap:
    """A pickle that leaves a file where it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_pickle_by_another_name(zipped: bool, model_folder: Path, tmp_path: Path) -> None:
    """Neither a bare pickle nor a checkpoint of torch is opened."""
    trap = Trap(tmp_path / "sprung")
    if zipped:
        torch.save({"weights": trap}, tmp_path / "file")
        content = (tmp_path / "file").read_bytes()
    else:
        content = pickle.dumps(trap)
    rewrite_weights(model_folder, content)

    refused(model_folder, RunError, "not a safetensors file")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "content",
    [
        (1 << 60).to_bytes(8, "little") + b"{}",
        ((1 << 64) - 1).to_bytes(8, "little"),
        (90_000_000).to_bytes(8, "little") + b"{" * 1000,
        (20_000).to_bytes(8, "little") + b"[" * 20_000,
        b"",
        b"abc",
    ],
    ids=["2^60", "2^64-1", "longer than the file", "deep", "empty", "three bytes"],
)
def test_headers_that_lie(content: bytes, model_folder: Path) -> None:
    """The length of the header is not believed."""
    rewrite_weights(model_folder, content)

    refused(model_folder, RunError, "not a safetensors file")


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]},
        {"dtype": "OBJECT", "shape": [1], "data_offsets": [0, 4]},
    ],
)
def test_tensors_that_lie(entry: dict[str, Any], model_folder: Path) -> None:
    """Shapes and places that the file has no room for."""
    header = json.dumps({"members.0.x": entry}).encode()
    rewrite_weights(model_folder, len(header).to_bytes(8, "little") + header + b"\0" * 4)

    refused(model_folder, RunError, "not a safetensors file")


RNA = ("components", "encoders.rna")
FUSION = ("components", "fusion")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_path(*RNA, "settings", "dim", value=10**12), "no network can be built"),
        (set_path(*RNA, "settings", "dim", value=10**9), r"ask for .* bytes of memory"),
        (set_path(*RNA, "settings", "dim", value=3 * 10**8), r"ask for .* bytes of memory"),
        (set_path(*RNA, "settings", "dim", value=10**400), "is too large a number"),
        (set_path("inputs", "rna", "shape", value=[10**9]), r"ask for .* bytes of memory"),
        (set_path("inputs", "rna", "shape", value=["x"]), "damaged"),
        (set_path("inputs", "rna", "shape", value=[2.5]), "no network can be built"),
        (set_path("inputs", "rna", "shape", value=[]), "damaged"),
        (set_path("inputs", "rna", "kind", value="os"), "damaged"),
        (set_path("inputs", value={}), "there is no such modality"),
        (set_path("members", value=10**9), "speaks of 1000000000"),
        (set_path("members", value=0), "members is a whole number"),
        (set_path("members", value=True), "members is a whole number"),
        (set_path("members", value="1"), "members is a whole number"),
        (set_path(*RNA, "settings", value={"dim": 4, "__class__": "os"}), "has no setting"),
        (set_path("components", value=[]), "damaged"),
        (set_path("api_version", value="latest"), "is no version"),
        (set_path(*RNA, "version", value="99.0"), "pip install --upgrade survkit-core"),
        (set_path(*RNA, "version", value="; rm -rf"), "is no version"),
        (set_path(*RNA, "distribution", value="--index-url http://x y"), "no name of a distr"),
        (set_path(*RNA, "distribution", value="evil"), "but here survkit-core gives that name"),
    ],
)
def test_configurations_that_ask_too_much(
    change: Callable[[dict[str, Any]], None], said: str, model_folder: Path
) -> None:
    """Sizes, types and versions that no saved model has."""
    rewrite_config(model_folder, change)

    refused(model_folder, UserError, said)


@pytest.mark.parametrize(
    "name", ["this:s", "os:system", "builtins.eval", "../../evil", "torch.nn:Linear", ""]
)
def test_a_class_path_is_never_imported(name: str, model_folder: Path) -> None:
    """Names are looked up in the registry and nowhere else."""
    rewrite_config(model_folder, set_path(*FUSION, "use", value=name))

    refused(model_folder, UnknownComponentError, f"fusion is {name} of survkit-core")
    assert "this" not in sys.modules


def test_a_plugin_that_is_missing_is_one_line(model_folder: Path) -> None:
    """The pip line of a plugin that is known; a warning with one that only the file names."""
    rewrite_config(model_folder, set_path(*FUSION, "use", value="papers/cross"))
    for distribution, said in (
        ("survkit-robsurv", "pip install survkit-robsurv"),
        ("surv1kit", "look at it before you install"),
    ):
        rewrite_config(model_folder, set_path(*FUSION, "distribution", value=distribution))
        refused(model_folder, UnknownComponentError, said)
    rewrite_config(model_folder, set_path(*FUSION, "use", value="robsurv/no-such-fusion"))
    rewrite_config(model_folder, set_path(*FUSION, "distribution", value="survkit-robsurv"))
    with pytest.raises(UnknownComponentError) as caught:
        from_pretrained(model_folder)
    assert str(caught.value).endswith("pip install survkit-robsurv")


def test_a_component_of_the_session_is_asked_for(model_folder: Path) -> None:
    """What a notebook had registered comes from no distribution."""
    rewrite_config(model_folder, set_path(*FUSION, "use", value="session/mine"))
    rewrite_config(model_folder, set_path(*FUSION, "distribution", value="this session"))
    rewrite_config(model_folder, set_path(*FUSION, "version", value=""))

    refused(model_folder, UnknownComponentError, "add it here before the model is loaded")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested deeper than 50 levels"),
        ('{"a":' * 60 + "1" + "}" * 60, "nested deeper than 50 levels"),
        ('{"format": "survkit-model/1", "members": NaN}', "NaN is no number"),
        ('{"format": "survkit-model/1", "format": "x"}', "the key 'format' stands twice"),
        ('{"format": "survkit-model/1", "members": ' + "9" * 100_000 + "}", "cannot be read"),
        ('{"format": "survkit-model/1"}', "damaged|cannot be read|sha256"),
        ('"survkit-model/1"', "not a survkit model"),
        ("", "cannot be read"),
    ],
    ids=["very deep", "deep", "nan", "twice", "digits", "bare", "text", "empty"],
)
def test_json_that_is_a_trap(text: str, said: str, model_folder: Path) -> None:
    """Depth, size and what JSON has no word for."""
    (model_folder / "config.json").write_text(text)

    refused(model_folder, RunError, said)


def test_json_of_any_size(model_folder: Path) -> None:
    """A terabyte that lies nowhere: the size is looked at before anything is read."""
    os.truncate(model_folder / "config.json", 1 << 40)

    refused(model_folder, RunError, r"1,099,511,627,776 bytes are more than the 50,000,000")


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_links_out_of_the_folder(file: str, model_folder: Path, tmp_path: Path) -> None:
    """A file of somebody else, a device without end, a chain of links."""
    for target in (tmp_path / "elsewhere", Path("/dev/zero"), Path("../..") / "x"):
        (tmp_path / "elsewhere").write_bytes(b"{}")
        (model_folder / file).unlink(missing_ok=True)
        (model_folder / file).symlink_to(target)
        refused(model_folder, RunError, "is a link that leads out of its folder")


def test_a_link_within_the_folder_is_followed(model_folder: Path) -> None:
    """Some file systems for large data leave such links."""
    (model_folder / "model.safetensors").rename(model_folder / "data")
    (model_folder / "model.safetensors").symlink_to("data")

    assert from_pretrained(model_folder).members


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_a_pipe_does_not_hang(file: str, model_folder: Path) -> None:
    """Whoever opened it would wait for ever."""
    (model_folder / file).unlink()
    os.mkfifo(model_folder / file)

    refused(model_folder, RunError, "is no ordinary file")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(value: float, model_folder: Path) -> None:
    """One of them is enough."""

    def change(tensors: dict[str, torch.Tensor]) -> None:
        name = next(name for name, each in tensors.items() if each.is_floating_point())
        tensors[name].view(-1)[0] = value

    rewrite(model_folder, change)
    refused(model_folder, RunError, "holds NaN or infinite numbers")


@pytest.mark.parametrize("name", ["members.00.x", "members.-1.x", "members..x", "members.1.x", "x"])
def test_tensors_without_a_place(name: str, model_folder: Path) -> None:
    """A name that only looks like a member's."""
    rewrite(model_folder, lambda tensors: tensors.update({name: torch.zeros(1)}))

    refused(model_folder, RunError, f"no part of the model is named {name}")


def test_the_budget_counts_what_is_made() -> None:
    """All tensors made from nothing together; a result by itself; and their number."""
    with BuildBudget(0, 0) as budget:
        torch.zeros(1000, dtype=torch.float64)
        torch.empty(10, 10)
    assert (budget.made_bytes, budget.made_tensors) == (8000 + 400, 2)
    for make in (empty_often(3, 50_000_000), outer_product):
        with BuildBudget(0, 0), pytest.raises(OverBudgetError, match="bytes"):
            make()
    with BuildBudget(0, 0), pytest.raises(OverBudgetError, match="20,000 tensors"):
        empty_often(20_001, 1)()


def empty_often(times: int, entries: int) -> Callable[[], None]:
    """Return what makes so many tensors of that size."""

    def make() -> None:
        for _ in range(times):
            torch.empty(entries)

    return make


def outer_product() -> None:
    """Make three GiB of a small tensor."""
    line = torch.arange(20_000)
    _ = line[:, None] * line


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("\\u001b[2J", r"a text holds U\+001B"),
        ("\\ud800", r"a text holds U\+D800"),
        ("x" * 200_000, "has 200,000 characters"),
    ],
)
@pytest.mark.parametrize("key", [False, True])
def test_texts_that_cannot_be_shown(
    model_folder: Path, value: str, said: str, *, key: bool
) -> None:
    """As a value or as a key: a terminal would obey them, and no card could be written of them."""
    path = model_folder / "config.json"
    added = f'"{value}": 1' if key else f'"title": "{value}"'
    path.write_text(
        path.read_text().replace('"training": {', '"training": {"recipe": {' + added + "}")
    )

    refused(model_folder, RunError, said)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 4000])
def test_numbers_beyond_all_use(model_folder: Path, number: str) -> None:
    """Python reads them as infinity, or prints all of their digits."""
    path = model_folder / "config.json"
    path.write_text(path.read_text().replace('"members": 1', f'"members": {number}'))

    refused(model_folder, RunError, "is too large a number")


@pytest.mark.parametrize("key", ["final", "demonstration", "recipe", "init", "files"])
def test_facts_that_hold_no_facts(model_folder: Path, key: str) -> None:
    """Cards and labels are made of them."""
    rewrite_config(model_folder, lambda config: config["training"].update({key: 5}))

    refused(model_folder, RunError, "keys and values are expected, not '5'")
