"""A published model of X-rays names no folder of the machine, and loads where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tests.hub_server.leaks import check_nothing_local, published
from tests.hub_server.loopback import OF_THE_CLIENT
from tests.hub_server.repositories import Hub

from survkit.cli import main
from survkit.data import Cohort
from survkit.hub import from_pretrained, push_to_hub
from survkit.hub.model_files import sha256_of

pytestmark = pytest.mark.filterwarnings(OF_THE_CLIENT)
BACKBONE = "vit_tiny_patch16_224"


def test_no_folder_leaves_with_the_weights(tmp_path: Path, hub: Hub) -> None:
    """The file keeps its name and hash; once it is gone the model predicts bit for bit alike."""
    timm = pytest.importorskip("timm")
    home = tmp_path / "jane-doe"
    home.mkdir()
    torch.manual_seed(0)
    file, run, cohort = home / "vit.pth", home / "run", home / "cohort" / "cohort.yaml"
    torch.save(timm.create_model(BACKBONE, img_size=32).state_dict(), file)
    made = f"phantom --out {cohort.parent} --subjects 16 --size 32 --modality cxr"
    assert main(made.split()) == 0
    (name,) = Cohort.read(cohort).modalities[:1]
    recipe = {
        "title": "a ViT from a file",
        "encoders": {name: {"use": "radvit/vit", "backbone": BACKBONE, "weights": str(file)}},
        "head": {"use": "cox"}, "outcome": {"horizon": 1095}, "objective": ["cox"],
        "training": {"epochs": 1, "accelerator": "cpu"},
    }  # fmt: skip
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    words = ["fit", str(tmp_path / "recipe.yaml"), "--cohort", str(cohort), "--out", str(run)]
    assert main([*words, "--quiet", "--cache", str(tmp_path / "cache")]) == 0
    sha256 = sha256_of(file)
    file.unlink()
    push_to_hub(run, "org/name")
    config = json.loads(published(hub)["config.json"])
    times = torch.tensor([200.0, 900.0])
    here, there = (
        from_pretrained(model).predict(Cohort.read(cohort)).survival(times)
        for model in (run, "org/name")
    )

    check_nothing_local(hub, tmp_path, "jane-doe")
    assert config["components"][f"encoders.{name}"]["settings"]["weights"] == "vit.pth"
    stated = {f"encoders.{name}.weights": {"name": "vit.pth", "sha256": sha256}}
    assert config["training"]["files"] == stated
    assert torch.equal(here, there)
