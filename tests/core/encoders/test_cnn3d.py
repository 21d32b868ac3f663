"""The small convolutional network: its grid, its two views of a channel, its refusals."""

from __future__ import annotations

import pytest
import torch

from survkit.encoders.cnn3d import CNN3DEncoder
from survkit.errors import CompositionError, ConfigError
from survkit.flow import ModalityInput
from survkit.specs import InputSpec


def volume(*size: int) -> InputSpec:
    return InputSpec(kind="volume", shape=(1, *size))


def given(spec: InputSpec, subjects: int = 2) -> ModalityInput:
    values = torch.randn(subjects, *spec.shape, generator=torch.Generator().manual_seed(0))
    return ModalityInput(values, torch.ones(subjects, dtype=torch.bool))


@pytest.mark.parametrize(("halvings", "grid"), [(0, (16, 17, 20)), (1, (8, 9, 10)), (3, (2, 3, 3))])
def test_the_grid_follows_from_the_halvings(halvings: int, grid: tuple[int, ...]) -> None:
    """Each halving rounds up: declared and measured."""
    spec = volume(16, 17, 20)
    encoder = CNN3DEncoder(spec, channels=[4, 4, 4], halvings=halvings, dim=3).eval()

    encoding = encoder(given(spec))

    assert encoder.encoding.grid == grid
    assert encoding.tokens.shape == (2, grid[0] * grid[1] * grid[2], 3)


def test_the_mean_is_that_of_the_tokens() -> None:
    """The map is linear, so with mean pooling the summary is the mean of the tokens."""
    spec = volume(16, 16, 16)
    torch.manual_seed(0)
    encoding = CNN3DEncoder(spec, pooling="mean").eval()(given(spec))

    torch.testing.assert_close(encoding.summary, encoding.tokens.mean(dim=1))


def test_one_position_is_its_own_summary() -> None:
    """Mean and maximum over one position are that position."""
    spec = volume(16, 16, 16)
    torch.manual_seed(0)
    encoder = CNN3DEncoder(spec, channels=[4] * 4, halvings=4).eval()
    encoding = encoder(given(spec))

    assert encoder.encoding.grid == (1, 1, 1)
    torch.testing.assert_close(encoding.summary, encoding.tokens[:, 0])


@pytest.mark.parametrize(("pooling", "sees_extent"), [("mean-max", True), ("max", False)])
def test_the_mean_sees_how_much_there_is(pooling: str, sees_extent: bool) -> None:
    """Two bright cubes instead of one change the mean, and leave the maximum as it is."""
    spec = volume(32, 32, 32)
    torch.manual_seed(0)
    encoder = CNN3DEncoder(spec, pooling=pooling).eval()
    values = torch.zeros(2, 1, 32, 32, 32)
    values[:, :, 4:8, 4:8, 4:8] = 1
    values[1, :, 20:24, 20:24, 20:24] = 1

    one, two = encoder(ModalityInput(values, torch.ones(2, dtype=torch.bool))).summary

    assert torch.allclose(one, two, atol=1e-6) != sees_extent


def test_group_normalisation_knows_nobody_else() -> None:
    """In training a subject is encoded alike whoever else is in its micro-batch."""
    spec = volume(16, 16, 16)
    torch.manual_seed(0)
    encoder = CNN3DEncoder(spec, norm="group").train()
    batch = given(spec)
    alone = ModalityInput(batch.values[:1], batch.present[:1])

    torch.testing.assert_close(
        encoder(alone).summary[0], encoder(batch).summary[0], rtol=1e-4, atol=1e-5
    )


def test_what_cannot_be_used_is_refused() -> None:
    """Kind, size and settings, each in a sentence that says what fits."""
    spec = volume(16, 16, 16)
    with pytest.raises(CompositionError, match=r"needs a volume .* is a vector; tabular"):
        CNN3DEncoder(InputSpec(kind="vector", shape=(3,)))
    with pytest.raises(CompositionError, match="at least 16 voxels"):
        CNN3DEncoder(volume(16, 8, 16))
    with pytest.raises(ConfigError, match="pooling must be one of mean-max, mean, max, not 'sum'"):
        CNN3DEncoder(spec, pooling="sum")
    with pytest.raises(ConfigError, match="at least one layer of 2 or more"):
        CNN3DEncoder(spec, channels=[])
    with pytest.raises(ConfigError, match="halvings must be 0 to the number of layers, 3, not 4"):
        CNN3DEncoder(spec, halvings=4)
    with pytest.raises(ConfigError, match="dropout must lie in"):
        CNN3DEncoder(spec, dropout=1.0)
    with pytest.raises(ConfigError, match="which is one voxel"):
        CNN3DEncoder(spec, channels=[4] * 4, halvings=4, norm="instance")
