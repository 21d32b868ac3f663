"""No path, home folder or user name of the machine leaves with a model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file, save
from tests.core.hub.measured import final_model
from tests.hub_server.leaks import check_nothing_local, published
from tests.hub_server.loopback import OF_THE_CLIENT
from tests.hub_server.repositories import Hub
from tests.hub_server.small_model import rewrite_config, rewrite_weights, save_small_model

from survkit.cli import main
from survkit.data import Cohort
from survkit.errors import RunError
from survkit.hub import from_pretrained, pull, push_to_hub, write_card
from survkit.hub.local_paths import place_in

pytestmark = pytest.mark.filterwarnings(OF_THE_CLIENT)
RECIPE = {
    "title": "side files",
    "encoders": {
        "blood": {"use": "tabular", "hidden": [], "dim": 4}, "rna": {"use": "vector", "dim": 4},
    },
    "head": {"use": "cox"},
    "outcome": {"horizon": 300},
    "objective": ["cox"],
    "training": {"epochs": 1, "accelerator": "cpu", "validation": 0.2},
}  # fmt: skip


def write_cohort(folder: Path) -> Path:
    """Write a cohort whose modalities lie in files of their own, named by absolute paths."""
    random = np.random.default_rng(0)
    subjects = [f"s{k:02d}" for k in range(30)]
    secret = folder / "jane-doe" / "clinic"
    secret.mkdir(parents=True)
    table = {"id": subjects, "days": 10.0 + random.integers(1, 400, 30), "event": [1, 0, 1] * 10}
    pd.DataFrame(table).to_csv(secret / "patients.csv", index=False)
    for name, columns in (("blood", ["hb", "crp"]), ("rna", ["a", "b", "c"])):
        values = {column: random.normal(size=30) for column in columns}
        pd.DataFrame({"id": subjects, **values}).to_csv(secret / f"{name}.csv", index=False)
    config = {
        "name": "toy", "table": str(secret / "patients.csv"), "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {
            "blood": {"kind": "table", "file": str(secret / "blood.csv")},
            "rna": {"kind": "vector", "file": str(secret / "rna.csv")},
        },
    }  # fmt: skip
    (folder / "cohort.yaml").write_text(yaml.safe_dump(config))
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    return folder / "cohort.yaml"


def test_the_files_of_a_cohort_stay_at_home(tmp_path: Path, hub: Hub) -> None:
    """A model of side files, the whole way; elsewhere it predicts the same, bit for bit."""
    path, run = write_cohort(tmp_path), tmp_path / "jane-doe" / "run"
    command = ["fit", str(tmp_path / "recipe.yaml"), "--cohort", str(path), "--out", str(run)]
    assert main([*command, "--quiet"]) == 0
    push_to_hub(run, "org/name")
    pull("org/name", tmp_path / "carried")
    cohort = Cohort.read(path)
    times = torch.tensor([50.0, 200.0])
    here = from_pretrained(run).predict(cohort).survival(times)

    check_nothing_local(hub, tmp_path, "jane-doe")
    assert published(hub)["config.json"] == (run / "config.json").read_bytes()
    preparation = json.loads(published(hub)["config.json"])["preparation"]
    assert {one["file"] for one in preparation.values()} == {"blood.csv", "rna.csv"}
    assert torch.equal(here, from_pretrained(tmp_path / "carried").predict(cohort).survival(times))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/home/jane/w.pth", "/home/jane/w.pth"), ("local-dir:/srv/nets/lite0", "/srv/nets/lite0"),
        ("read from /data/ct now", "/data/ct"), ("~/w.pth", "~/w.pth"),
        ("C:\\Users\\jane\\w.pth", "C:\\Users\\jane\\w.pth"), ("\\\\nas\\ct\\w", "\\\\nas\\ct\\w"),
        ("w.pth", None), ("slicetention/slices", None), ("hf-hub:timm/vit", None),
        ("https://huggingface.co/org/name", None), ("mg/dl", None), ("II/III", None), ("1/2", None),
        ("Kaplan–Meier, log(-log) interval", None), ("~ 5 / 6", None), ("/", None),
    ],
)  # fmt: skip
def test_what_counts_as_a_place(text: str, found: str | None) -> None:
    """Absolute paths of every system, and no unit, level, name or address of the web."""
    assert place_in(text) == found


@pytest.mark.parametrize(
    "where", ["recipe", "preparation", "cohort", "settings", "metrics", "weights"]
)
def test_a_path_from_elsewhere_is_refused(tmp_path: Path, hub: Hub, where: str) -> None:
    """Models of earlier versions, or bent by hand: nothing is sent, and the key is named."""
    folder, secret = save_small_model(tmp_path / "model"), "/home/jane/ct/w.pth"
    if where == "metrics":
        (folder / "metrics.json").write_text(json.dumps({"model": secret}))
    elif where == "weights":
        tensors = load_file(folder / "model.safetensors")
        rewrite_weights(folder, save(tensors, metadata={"source": secret}))
    else:
        place = {
            "recipe": {"training": {"recipe": {"encoders": {"ct": {"weights": secret}}}}},
            "preparation": {"preparation": {"rna": {"file": secret}}},
            "cohort": {"training": {"cohort": secret}},
            "settings": {"training": {"init": {"source": [secret]}}},
        }[where]
        rewrite_config(folder, lambda config: config.update(place))

    with pytest.raises(RunError, match=r"names a place on a machine \(/home/jane/ct/w\.pth\)"):
        push_to_hub(folder, "org/name")
    assert hub.log == []


def test_words_that_name_the_home_folder_are_refused(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card that somebody edited may show paths, but not their own."""
    monkeypatch.setenv("HOME", "/home/jane")
    folder = final_model(tmp_path / "final", "refit")
    card = write_card(folder, "org/name")
    text = card.read_text()
    card.write_text(text + "\nThe scans lie in /home/jane/ct.\n")
    with pytest.raises(
        RunError, match=rf"README\.md: line {text.count(chr(10)) + 2} names /home/ja"
    ):
        push_to_hub(folder, "org/name")
    assert hub.log == []
    card.write_text(text + "\nUse /path/to/cohort.yaml or /home/janet.\n")
    push_to_hub(folder, "org/name")
    assert b"/home/janet" in published(hub)["README.md"]
