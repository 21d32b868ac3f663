"""Published weights: fitted as timm fits them, at hand or not, and those of another network."""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from survkit.errors import ConfigError, DataError
from survkit.specs import InputSpec
from survkit_radvit.vit.vit_encoder import VitEncoder

BACKBONE = "vit_tiny_patch16_224"
INPUT = InputSpec(kind="image", shape=(1, 64, 96))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file as timm publishes it: 224 x 224, classifier and all."""
    import timm

    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("hub") / "model.safetensors"
    save_file(timm.create_model(BACKBONE).state_dict(), path)
    return path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let no server answer and the cache be empty; return the folder of the Hub's cache."""
    from huggingface_hub import constants

    def refuse(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def built(weights: str, **settings: Any) -> VitEncoder:
    one = VitEncoder(INPUT, backbone=BACKBONE, weights=weights, **settings)
    one.load_weights()
    return one


@pytest.mark.parametrize("patch", [None, 8])
def test_a_file_is_fitted_to_grid_and_patches_as_timm_does_it(
    published: Path, patch: int | None
) -> None:
    """Positions of 14 x 14 patches on 4 x 6, kernels of 16 x 16 on 8 x 8: equal bit for bit."""
    import timm

    options: dict[str, Any] = {} if patch is None else {"patch_size": patch}
    expected = timm.create_model(
        BACKBONE,
        pretrained=True,
        pretrained_cfg_overlay={"file": str(published), "custom_load": False},
        num_classes=0,
        img_size=(64, 96),
        **options,
    ).state_dict()

    found = built(str(published), patch=patch).network.vit.state_dict()

    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_the_cache_is_read_without_any_network(no_network: Path, published: Path) -> None:
    """As the Hub lays it out, for the default tag of a name of timm."""
    home = no_network / "models--timm--vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    (home / "snapshots" / "abc").mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("abc")
    shutil.copy(published, home / "snapshots" / "abc")

    one, other = built("pretrained"), built(str(published))

    first, second = one.state_dict(), other.state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.usefixtures("no_network")
def test_out_of_reach_is_said_at_once() -> None:
    """What is missing, where it was looked for, and three ways out; no minute of retries."""
    start = time.perf_counter()

    with pytest.raises(DataError, match=r"not in the cache.*out of reach.*weights: PATH.*null"):
        built("pretrained")

    assert time.perf_counter() - start < 10


def test_building_reads_no_weights(no_network: Path) -> None:
    """A saved model brings its own: nothing is looked for before ``load_weights``."""
    VitEncoder(INPUT, backbone=BACKBONE, weights="pretrained")

    assert not no_network.exists()


def test_weights_of_another_network_are_refused_by_their_keys(
    published: Path, tmp_path: Path
) -> None:
    """Missing, unknown and misshapen ones are listed."""
    from safetensors.torch import load_file

    state = load_file(published)
    torch.save({k: v for k, v in state.items() if "blocks.3." not in k}, tmp_path / "short.pth")
    with pytest.raises(DataError, match=r"short\.pth are not those.*12 missing: blocks\.3"):
        built(str(tmp_path / "short.pth"))
    torch.save(state | {"norm.weight": torch.ones(7), "extra": torch.ones(1)}, tmp_path / "o.pth")
    with pytest.raises(DataError, match=r"unknown: extra; 1 of another shape: norm\.weight \(7,\)"):
        built(str(tmp_path / "o.pth"))


def test_a_file_that_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    """Absent, damaged, or holding an object: a sentence each, and nothing is unpickled."""
    with pytest.raises(DataError, match="there is no file"):
        built(str(tmp_path / "none.pth"))
    with pytest.raises(ConfigError, match="weights is 'pretrained', null"):
        built("imagenet")
    (tmp_path / "torn.safetensors").write_bytes(b"torn")
    with pytest.raises(DataError, match="is damaged, or holds code or objects"):
        built(str(tmp_path / "torn.safetensors"))
    torch.save(torch.nn.Linear(2, 2), tmp_path / "object.pth")
    with pytest.raises(DataError, match="is damaged, or holds code or objects"):
        built(str(tmp_path / "object.pth"))
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(DataError, match="does not hold a state dict"):
        built(str(tmp_path / "list.pth"))
