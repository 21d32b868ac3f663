"""The lungs as one volume under a 3-D network keep the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from survkit.errors import CompositionError, ConfigError, DataError, UnknownComponentError
from survkit.flow import ModalityInput
from survkit.phantom import PhantomConfig, generate_phantom
from survkit.protocols import Sample
from survkit.specs import InputSpec
from survkit.testing import EncoderConformance
from survkit_slicetention.lung_volume import LungVolumeEncoder
from survkit_slicetention.slice_reader import slices_of

SIZE = 16
CT = torch.from_numpy(
    generate_phantom(PhantomConfig(subjects=1, size=SIZE, modalities=("ct",))).images(0).ct
)[None]
CHEST = Sample(values=CT, spacing=(320 / SIZE,) * 3, source="phantom")
INPUT = InputSpec(kind="volume", shape=(1, SIZE, SIZE, SIZE), spacing=(320 / SIZE,) * 3)
SMALL: dict[str, Any] = {
    "network_settings": {"width": 0.125, "stem": "small", "norm": "group"},
    "dim": 8,
    "depth": 16,
    "size": 16,
    "spacing": (20.0, 10.0, 10.0),
}


class TestEverythingTrains(EncoderConformance):
    component = LungVolumeEncoder
    input = INPUT
    sample = CHEST
    settings: ClassVar = SMALL


class TestHalfTrains(EncoderConformance):
    component = LungVolumeEncoder
    input = INPUT
    sample = CHEST
    settings: ClassVar = SMALL | {
        "network_settings": {"width": 0.125, "stem": "small"},
        "freeze": "half",
        "statistics": (-300.0, 700.0),
    }


def test_the_frozen_half_stays_as_it_is() -> None:
    """In eval mode, with statistics that fit what it sees; the other half trains."""
    settings = SMALL | {"network_settings": {"width": 0.125, "stem": "small"}, "freeze": "half"}
    encoder = LungVolumeEncoder(INPUT, **(settings | {"statistics": (-300.0, 700.0)})).train()
    norms = [each for each in encoder.modules() if isinstance(each, _BatchNorm)]
    frozen = [each for each in norms if not each.training]
    before = [each.running_mean.clone() for each in norms]
    batch = torch.stack([encoder.prepare(CHEST)] * 2)

    encoder(ModalityInput(batch, torch.ones(2, dtype=torch.bool)))

    still = [torch.equal(a, b.running_mean) for a, b in zip(before, norms, strict=True)]
    assert 0 < len(frozen) < len(norms)
    assert still == [each in frozen for each in norms]
    assert all(bool((each.running_mean != 0).any()) for each in frozen)
    assert not any(p.requires_grad for each in frozen for p in each.parameters())


def test_the_volume_is_the_stack_resized_along_z() -> None:
    """As torch resizes, antialiased: each column of voxels by itself."""
    encoder = LungVolumeEncoder(INPUT, **SMALL)
    slices = slices_of(CHEST, encoder.stack).clamp(-1000, 400)

    volume = encoder.prepare(CHEST)

    columns = slices.flatten(1).T[None, None]  # (1, 1, column, slice)
    expected = functional.interpolate(
        columns, size=(256, 16), mode="bilinear", antialias=True, align_corners=False
    )[0, 0].T
    assert len(slices) != 16
    torch.testing.assert_close(volume[0].flatten(1), expected, rtol=1e-4, atol=0.05)


def test_networks_and_their_settings_are_checked() -> None:
    """Each refusal names what is wrong."""
    with pytest.raises(UnknownComponentError, match="resnet3d-18"):
        LungVolumeEncoder(INPUT, network="resnet3d-19")
    with pytest.raises(ConfigError, match=r"does not take network_settings.*widht"):
        LungVolumeEncoder(INPUT, network_settings={"widht": 2})
    with pytest.raises(CompositionError, match="at least 16 voxels"):
        LungVolumeEncoder(INPUT, depth=8)
    with pytest.raises(ConfigError, match="freeze must be half or none"):
        LungVolumeEncoder(INPUT, **(SMALL | {"freeze": "last"}))


def test_weights_of_a_file_are_read_strictly(tmp_path: Path) -> None:
    """Those of another width are refused by their keys."""
    first = LungVolumeEncoder(INPUT, **SMALL)
    torch.save(first.network.state_dict(), tmp_path / "net.pth")
    named = SMALL | {"weights": str(tmp_path / "net.pth")}

    second = LungVolumeEncoder(INPUT, **named)
    second.load_weights()

    for name, value in first.network.state_dict().items():
        assert torch.equal(second.network.state_dict()[name], value)
    with pytest.raises(DataError, match="of another shape"):
        LungVolumeEncoder(INPUT, **(named | {"dim": 4})).load_weights()
