"""A published model of slices names no folder of the machine, and loads where there is none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.hub_server.leaks import check_nothing_local, published
from tests.hub_server.loopback import OF_THE_CLIENT
from tests.hub_server.repositories import Hub

from survkit.cli import main
from survkit.data import Cohort
from survkit.hub import from_pretrained, push_to_hub
from survkit.hub.model_files import sha256_of
from survkit_slicetention.trunk.slice_trunk import SliceTrunk

pytestmark = pytest.mark.filterwarnings(OF_THE_CLIENT)
BACKBONE = "resnet10t"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a cohort of few and small phantom CTs."""
    folder = tmp_path_factory.mktemp("ct") / "cohort"
    made = f"phantom --out {folder} --subjects 16 --size 24 --hu --modality ct"
    assert main(made.split()) == 0
    return folder / "cohort.yaml"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Return a folder of jane-doe's with a network as timm saves it, and a state dict."""
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    state = timm.create_model(BACKBONE).state_dict()
    folder = tmp_path / "jane-doe" / "nets"
    folder.mkdir(parents=True)
    described = {"architecture": BACKBONE, "num_classes": 1000, "pretrained_cfg": {
        "first_conv": "conv1.0", "classifier": "fc", "num_classes": 1000,
        "input_size": [3, 224, 224]}}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(described))
    save_file(state, folder / "model.safetensors")
    torch.save(state, folder / "resnet.pth")
    return folder


def fit(cohort: Path, out: Path, *changes: str) -> None:
    words = ["fit", "slicetention/small", "--cohort", str(cohort), "--out", str(out), "--quiet"]
    for change in (
        "training.epochs=1", "encoders.ct.spacing=[20,10,10]", "encoders.ct.size=32",
        "encoders.ct.lung_mask=none", *changes,
    ):  # fmt: skip
        words += ["--set", change]
    assert main([*words, "--cache", str(out.parent / "cache")]) == 0


def curves(model: str | Path, cohort: Path) -> torch.Tensor:
    return (
        from_pretrained(model).predict(Cohort.read(cohort)).survival(torch.tensor([200.0, 900.0]))
    )


@pytest.mark.parametrize("by", ["file", "folder"])
def test_no_folder_leaves_with_the_weights(
    by: str, cohort: Path, weights: Path, tmp_path: Path, hub: Hub
) -> None:
    """A file of weights keeps its name and hash, a folder of timm the name of its network.

    Once both are gone the model predicts as before, here and from the Hub, bit for bit.
    """
    run, file = tmp_path / "jane-doe" / "run", weights / "resnet.pth"
    if by == "file":
        fit(cohort, run, f"encoders.ct.weights={file}", f"encoders.ct.backbone={BACKBONE}")
    else:
        changes = ("encoders.ct.weights=pretrained", f"encoders.ct.backbone=local-dir:{weights}")
        fit(cohort, run, *changes)
    sha256 = sha256_of(file)
    shutil.rmtree(weights)
    before = curves(run, cohort)
    push_to_hub(run, "org/name")
    config = json.loads(published(hub)["config.json"])
    settings = config["components"]["encoders.ct"]["settings"]

    check_nothing_local(hub, tmp_path, "jane-doe")
    assert settings["backbone"] == BACKBONE
    if by == "file":
        stated = {"encoders.ct.weights": {"name": "resnet.pth", "sha256": sha256}}
        assert settings["weights"] == "resnet.pth"
        assert config["training"]["files"] == stated
        assert config["training"]["recipe"]["encoders"]["ct"]["weights"] == "resnet.pth"
        assert f"sha256 `{sha256}`" in published(hub)["README.md"].decode()
    else:
        assert config["training"]["recipe"]["encoders"]["ct"]["backbone"] == "local-dir:nets"
    assert torch.equal(before, curves("org/name", cohort))


def test_a_network_that_nobody_else_can_build_keeps_its_folder(
    weights: Path, make_trunk: Callable[..., SliceTrunk]
) -> None:
    """The folder's own arguments make another network of that name, so its name says too little.

    Nothing is recorded in its place then, and a push refuses the path.
    """
    settings = {"backbone": f"local-dir:{weights}", "weights": "pretrained"}
    named = make_trunk(**settings).recorded_settings()
    described = json.loads((weights / "config.json").read_text())
    described["model_args"] = {"act_layer": "silu"}
    (weights / "config.json").write_text(json.dumps(described))
    bent = make_trunk(**settings).recorded_settings()

    assert named == {"backbone": BACKBONE}
    assert bent == {}
    assert make_trunk().recorded_settings() == {}
