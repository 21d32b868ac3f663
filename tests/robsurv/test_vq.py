"""Any encoder's tokens as codes."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch

from survkit.errors import CompositionError, ConfigError, DataError, UnknownComponentError
from survkit.flow import ModalityInput, projected
from survkit.protocols import FitsInput, Prepares
from survkit.showing import ShowsTokens, ShowsVolumes
from survkit.specs import ColumnSpec, InputSpec
from survkit.testing import EncoderConformance, random_input
from survkit_robsurv.vq import VQEncoder

VOLUME = InputSpec(kind="volume", shape=(1, 16, 16, 32))
TILES = InputSpec(kind="vector", shape=(6,), has_tokens=True)
CNN: dict[str, Any] = {
    "encoder": "cnn3d",
    "encoder_settings": {"dim": 4, "channels": [4, 4], "norm": "group"},
    "codebook_size": 8,
}
VECTOR: dict[str, Any] = {
    "encoder": "vector",
    "encoder_settings": {"components": 3},
    "codebook_size": 8,
}


class TestOverAGrid(EncoderConformance):
    component = VQEncoder
    input = VOLUME
    settings: ClassVar = CNN


class TestOverTokensThatVary(EncoderConformance):
    component = VQEncoder
    input = TILES
    settings: ClassVar = VECTOR | {"learning": "ema", "restart_after": 1}


class TestOverATable(EncoderConformance):
    component = VQEncoder
    input = InputSpec(
        kind="table", shape=(2,), columns=(ColumnSpec("age"), ColumnSpec("sex", ("f", "m")))
    )
    missing = 0.2
    settings: ClassVar = {
        "encoder": "tabular",
        "encoder_settings": {"hidden": [4]},
        "codebook_size": 4,
        "code_dim": 2,
        "start": "kmeans",
    }


def test_what_it_makes_of_the_other_encoding() -> None:
    """Tokens are codes, the twin is the other's tokens, grid and mask stay."""
    encoder = VQEncoder(TILES, **VECTOR)
    batch = random_input(TILES, 5)
    encoder.fit(batch)

    inner, encoding = projected(encoder.network(batch)), encoder(batch)

    mask = batch.token_mask
    assert mask is not None
    assert torch.equal(encoding.continuous, inner.tokens)
    assert torch.equal(encoding.token_mask, mask)
    real = encoding.tokens[mask]
    assert all((encoder.quantizer.codebook == token).all(dim=1).any() for token in real)
    for row in range(5):
        own = encoding.tokens[row][mask[row]]
        torch.testing.assert_close(encoding.summary[row], own.mean(dim=0))
        apart = (own - inner.tokens[row][mask[row]]).square().mean()
        torch.testing.assert_close(encoding.penalties["commitment"][row], apart)


def test_codes_on_a_grid() -> None:
    """In its shape; tokens without a grid have no map of codes."""
    encoder = VQEncoder(VOLUME, **CNN)
    batch = random_input(VOLUME, 3)

    codes = encoder.code_index(batch.values)

    assert codes.shape == (3, *(encoder.encoding.grid or ()))
    torch.testing.assert_close(
        encoder.quantizer.codebook[codes].flatten(1, 3), encoder(batch).tokens
    )
    tiles = VQEncoder(TILES, **VECTOR)
    with pytest.raises(CompositionError, match="lie on no grid"):
        tiles.code_index(random_input(TILES, 3).values)


def test_codes_of_a_volume_are_shown() -> None:
    """In pictures, where the tokens lie on a grid over it; others offer none."""
    encoder = VQEncoder(VOLUME, **CNN)
    values = random_input(VOLUME, 3).values

    shown = encoder.volumes(values)["codes"]

    assert torch.equal(shown.values, encoder.code_index(values))
    assert (shown.kind, shown.classes) == ("label", 8)
    assert not isinstance(VQEncoder(TILES, **VECTOR), ShowsVolumes)


def test_abilities_are_those_of_the_other() -> None:
    """An encoder that prepares nothing is not said to, one that scales is fitted."""
    plain, scaling = VQEncoder(VOLUME, **CNN), VQEncoder(TILES, **VECTOR)

    assert not isinstance(plain, FitsInput | Prepares | ShowsTokens)
    assert isinstance(scaling, FitsInput)
    with pytest.raises(DataError, match="knows no training subjects yet"):
        scaling(random_input(TILES, 3))


def test_both_see_the_training_subjects() -> None:
    """An encoder that is fitted in batches, then the codes: batches are read twice, or refused."""
    settings: dict[str, Any] = {
        "encoder": "robsurv/vq3d",
        "encoder_settings": {"width": 0.0625, "quantize": False},
        "codebook_size": 4,
        "start": "kmeans",
    }
    encoder = VQEncoder(VOLUME, **settings)
    values = encoder.prepared_example(generator=torch.Generator().manual_seed(0))[None]
    batches = [ModalityInput(values, torch.ones(1, dtype=torch.bool))]
    before = encoder.quantizer.codebook.detach().clone()

    with pytest.raises(DataError, match="read once only"):
        encoder.fit_batches(iter(batches))
    encoder.fit_batches(batches)

    assert not torch.equal(encoder.quantizer.codebook, before)
    assert "reconstruction" in encoder(batches[0]).penalties
    with pytest.raises(DataError, match="must be in"):
        encoder.fit_batches([ModalityInput(200 * values, batches[0].present)])


def test_refusals() -> None:
    """Names and settings of the other encoder, and one that has codes already."""
    with pytest.raises(UnknownComponentError, match="cnn3d"):
        VQEncoder(VOLUME, encoder="cnn3")
    with pytest.raises(ConfigError, match=r"encoder_settings \(cnn3d\) has no setting 'chanels'"):
        VQEncoder(VOLUME, encoder="cnn3d", encoder_settings={"chanels": [4]})
    with pytest.raises(CompositionError, match="vq3d are quantized already; use it alone"):
        VQEncoder(VOLUME, encoder="robsurv/vq3d", encoder_settings={"width": 0.0625})
