"""Self-attention over slices: the contract, PyTorch's encoder as reference, masks, positions."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch import nn

from survkit.errors import ConfigError
from survkit.specs import EncodingSpec
from survkit.testing import FusionConformance, random_encoding
from survkit_slicetention.class_token import ClassTokenFusion
from survkit_slicetention.token_transformer import TokenTransformer, sinusoids

SPECS = {
    "ct": EncodingSpec(dim=8, tokens=None),
    "pet": EncodingSpec(dim=4, tokens=8, grid=(2, 2, 2)),
}


class TestClassToken(FusionConformance):
    component = ClassTokenFusion
    encodings = SPECS
    settings: ClassVar = {"heads": 2, "feed_forward": 16}


class TestTwoLayersWithPositions(FusionConformance):
    component = ClassTokenFusion
    encodings = SPECS
    settings: ClassVar = {
        "heads": 4,
        "layers": 2,
        "feed_forward": 16,
        "dropout": 0.0,
        "positions": "sinusoidal",
    }


def built(**settings: object) -> TokenTransformer:
    torch.manual_seed(0)
    chosen = {"heads": 2, "layers": 2, "feed_forward": 16, "dropout": 0.0, "positions": "none"}
    return TokenTransformer(8, **(chosen | settings)).double().eval()


def test_it_is_pytorchs_encoder_subject_by_subject() -> None:
    """The class token of a subject alone, without any padding, is that of the padded batch."""
    transformer = built()
    encoding = random_encoding(SPECS["ct"], 4, dtype=torch.float64)
    assert encoding.token_mask is not None
    reference = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, norm_first=True),
        2,
        enable_nested_tensor=False,
    ).double()
    reference.load_state_dict(
        {key: value for key, value in transformer.state_dict().items() if key != "class_token"}
    )

    summary, _, _ = transformer(encoding.tokens, encoding.token_mask)

    for row in range(4):
        real = encoding.tokens[row][encoding.token_mask[row]]
        alone = torch.cat([transformer.class_token[None], real])[None]
        torch.testing.assert_close(summary[row], reference(alone)[0, 0])


def test_the_weights_are_those_of_the_last_layer() -> None:
    """As nn.MultiheadAttention gives them, cut to the slices and renormalised."""
    transformer = built(layers=1)
    tokens = torch.randn(3, 5, 8, dtype=torch.float64)
    real = torch.ones(3, 5, dtype=torch.bool)

    _, _, weights = transformer(tokens, real)

    layer = transformer.layers[0]
    whole = layer.norm1(torch.cat([transformer.class_token.expand(3, 1, -1), tokens], dim=1))
    expected = layer.self_attn(whole, whole, whole, need_weights=True)[1][:, 0, 1:]
    torch.testing.assert_close(weights, expected / expected.sum(dim=1, keepdim=True))


@pytest.mark.parametrize("positions", ["none", "sinusoidal"])
def test_the_order_of_slices_matters_only_where_asked(positions: str) -> None:
    """Without positions a patient is a set of slices."""
    transformer = built(positions=positions)
    tokens = torch.randn(2, 6, 8, dtype=torch.float64)
    real = torch.ones(2, 6, dtype=torch.bool)

    forwards, backwards = (transformer(each, real)[0] for each in (tokens, tokens.flip(1)))

    assert torch.allclose(forwards, backwards) == (positions == "none")


def test_positions_are_sines_and_cosines() -> None:
    """Of the rates of Vaswani et al.; the first place is zeros and ones."""
    code = sinusoids(5, 8)

    assert code[0].tolist() == [0.0] * 4 + [1.0] * 4
    torch.testing.assert_close(code[3, 1], torch.tensor(3 / 10000 ** (1 / 4)).sin())
    torch.testing.assert_close(code[3, 5], torch.tensor(3 / 10000 ** (1 / 4)).cos())


def test_later_layers_build_on_earlier_ones() -> None:
    """The published code gives every layer the original tokens: then the first would not count."""
    transformer = built()
    encoding = random_encoding(SPECS["ct"], 3, dtype=torch.float64)
    assert encoding.token_mask is not None
    before = transformer(encoding.tokens, encoding.token_mask)[0]
    with torch.no_grad():
        transformer.layers[0].linear2.weight.add_(1.0)

    assert not torch.allclose(transformer(encoding.tokens, encoding.token_mask)[0], before)


def test_a_subject_without_the_modality_has_zeros() -> None:
    """And no weights."""
    fusion = ClassTokenFusion({"ct": SPECS["ct"]}, heads=2, feed_forward=16).eval()
    encoding = random_encoding(SPECS["ct"], 3)
    encoding = replace(encoding, present=torch.tensor([True, False, True]))

    fused = fusion({"ct": encoding})

    assert not bool(fused.embedding[1].any())
    assert fused.attention_weights["ct"].sum(dim=1).round(decimals=5).tolist() == [1.0, 0.0, 1.0]


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    """The sentence names both."""
    with pytest.raises(ConfigError, match=r"heads must divide the width of the tokens, 8.*heads=3"):
        ClassTokenFusion({"ct": SPECS["ct"]}, heads=3)
