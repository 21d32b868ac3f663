"""Published weights: real ones, at hand or not, and those of another network."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from survkit.errors import ConfigError, DataError
from survkit_slicetention.trunk.slice_trunk import SliceTrunk

TrunkFactory = Callable[..., SliceTrunk]
LITE0 = "tf_efficientnet_lite0"


def rgb_features(lite0: dict[str, Tensor], grey: Tensor) -> Tensor:
    """Return the features of timm's own network for three channels, the grey image repeated."""
    import timm

    network = timm.create_model(LITE0).eval()
    network.load_state_dict(lite0)
    with torch.no_grad():
        features: Tensor = network.forward_head(
            network.forward_features(grey.expand(-1, 3, -1, -1)), pre_logits=True
        )
    return features


def test_a_grey_stem_sees_what_three_equal_channels_showed(
    lite0_folder: Path, lite0: dict[str, Tensor], make_trunk: TrunkFactory
) -> None:
    """Real ImageNet weights, read by timm with summed kernels: equal to 1e-5 of the largest."""
    trunk = make_trunk(backbone=f"local-dir:{lite0_folder}", weights="pretrained", size=96)
    trunk.load_weights()
    grey = torch.randn(3, 1, 96, 96, generator=torch.Generator().manual_seed(0))

    expected = rgb_features(lite0, grey)

    atol = 1e-5 * float(expected.abs().max())
    with torch.no_grad():
        torch.testing.assert_close(trunk.backbone(grey), expected, rtol=0, atol=atol)
    torch.testing.assert_close(trunk(grey), expected, rtol=0, atol=10 * atol)


def test_a_file_of_weights_is_the_same(
    lite0_folder: Path, lite0: dict[str, Tensor], tmp_path: Path, make_trunk: TrunkFactory
) -> None:
    """As safetensors or as torch's file, RGB or already grey; the classifier may be there."""
    torch.save(lite0, tmp_path / "rgb.pth")
    grey = {k: v.sum(1, keepdim=True) if k == "conv_stem.weight" else v for k, v in lite0.items()}
    torch.save(grey, tmp_path / "grey.pth")
    by_timm = make_trunk(backbone=f"local-dir:{lite0_folder}", weights="pretrained")
    by_timm.load_weights()

    for path in (lite0_folder / "model.safetensors", tmp_path / "rgb.pth", tmp_path / "grey.pth"):
        trunk = make_trunk(backbone=LITE0, weights=str(path))
        trunk.load_weights()
        for name, value in by_timm.backbone.state_dict().items():
            assert torch.equal(trunk.backbone.state_dict()[name], value), (path, name)


def test_a_photograph_in_grey_is_recognised(
    lite0: dict[str, Tensor], lite0_folder: Path, make_trunk: TrunkFactory
) -> None:
    """The admiral's portrait that matplotlib ships: "military uniform", as in colour."""
    from matplotlib import cbook
    from PIL import Image

    with cbook.get_sample_data("grace_hopper.jpg") as file:
        image = Image.open(file).resize((224, 224), Image.Resampling.BICUBIC)
    grey = torch.from_numpy(np.asarray(image, dtype=np.float32)).mean(dim=2)[None, None] / 255
    trunk = make_trunk(backbone=f"local-dir:{lite0_folder}", weights="pretrained", size=224)
    trunk.load_weights()

    logits = trunk((grey - 0.5) / 0.5) @ lite0["classifier.weight"].T + lite0["classifier.bias"]

    share, label = logits.softmax(dim=1).max(dim=1)
    assert int(label) == 652
    assert float(share) > 0.4


def test_the_cache_is_read_without_any_network(
    no_network: Path, lite0_folder: Path, lite0: dict[str, Tensor], make_trunk: TrunkFactory
) -> None:
    """As the Hub lays it out, for a name of timm."""
    home = no_network / "models--timm--tf_efficientnet_lite0.in1k"
    (home / "snapshots" / "abc").mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("abc")
    shutil.copy(lite0_folder / "model.safetensors", home / "snapshots" / "abc")
    trunk = make_trunk(backbone=LITE0, weights="pretrained")

    trunk.load_weights()

    stem = trunk.backbone.state_dict()["conv_stem.weight"]
    torch.testing.assert_close(stem, lite0["conv_stem.weight"].sum(dim=1, keepdim=True))


@pytest.mark.parametrize("backbone", ["mobilenetv3_small_050", "torchvision:mobilenet_v3_small"])
def test_out_of_reach_is_said_at_once(
    backbone: str, no_network: Path, make_trunk: TrunkFactory
) -> None:
    """What is missing, where it was looked for, and three ways out; no minute of retries."""
    trunk = make_trunk(backbone=backbone, weights="pretrained")
    start = time.perf_counter()

    with pytest.raises(DataError, match=r"not in the cache.*out of reach.*weights: PATH.*null"):
        trunk.load_weights()

    assert time.perf_counter() - start < 10


def test_weights_of_another_network_are_refused_by_their_keys(
    lite0: dict[str, Tensor], tmp_path: Path, make_trunk: TrunkFactory
) -> None:
    """Missing, unknown and misshapen ones are listed."""
    torch.save(lite0, tmp_path / "lite0.pth")
    with pytest.raises(DataError, match=r"lite0\.pth are not those.*missing: .*unknown: "):
        make_trunk(backbone="resnet18", weights=str(tmp_path / "lite0.pth")).load_weights()
    torch.save(lite0 | {"bn1.weight": torch.ones(7)}, tmp_path / "shape.pth")
    with pytest.raises(DataError, match=r"1 of another shape: bn1\.weight \(7,\) instead of \(32"):
        make_trunk(backbone=LITE0, weights=str(tmp_path / "shape.pth")).load_weights()


def test_a_file_that_is_no_state_dict_is_refused(tmp_path: Path, make_trunk: TrunkFactory) -> None:
    """Absent, damaged, or holding an object: a sentence each, and nothing is unpickled."""
    with pytest.raises(DataError, match="there is no file"):
        make_trunk(weights=str(tmp_path / "none.pth")).load_weights()
    with pytest.raises(ConfigError, match="weights is 'pretrained', null"):
        make_trunk(weights="imagenet").load_weights()
    (tmp_path / "torn.safetensors").write_bytes(b"torn")
    with pytest.raises(DataError, match="is damaged, or holds code or objects"):
        make_trunk(weights=str(tmp_path / "torn.safetensors")).load_weights()
    torch.save(torch.nn.Linear(2, 2), tmp_path / "object.pth")
    with pytest.raises(DataError, match="is damaged, or holds code or objects"):
        make_trunk(weights=str(tmp_path / "object.pth")).load_weights()
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(DataError, match="does not hold a state dict"):
        make_trunk(weights=str(tmp_path / "list.pth")).load_weights()
