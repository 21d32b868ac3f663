"""Soft attention keeps the contract of fusions, and pooling before the linear layer is exact."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from survkit.flow import Encoding, projected
from survkit.specs import EncodingSpec
from survkit.testing import FusionConformance, random_encoding
from survkit_slicetention.soft_attention import SoftAttention

SPECS = {
    "ct": EncodingSpec(dim=6, tokens=None),
    "pet": EncodingSpec(dim=4, tokens=8, grid=(2, 2, 2), has_continuous=True),
    "clinical": EncodingSpec(dim=3),
}


class TestSoftAttention(FusionConformance):
    component = SoftAttention
    encodings = SPECS


class TestMLPScorer(FusionConformance):
    component = SoftAttention
    encodings = SPECS
    settings: ClassVar = {"scorer": "mlp"}


def pending() -> Encoding:
    """Return tokens of 20 with a pending layer to 6."""
    torch.manual_seed(0)
    plain = random_encoding(SPECS["ct"], 5, dtype=torch.float64)
    tokens = torch.randn(*plain.tokens.shape[:2], 20, dtype=torch.float64)
    return replace(plain, tokens=tokens, projection=nn.Linear(20, 6).double())


def test_it_has_the_numbers_of_the_paper() -> None:
    """257 for tokens of 256, of which the constant of a softmax cannot learn."""
    fusion = SoftAttention({"ct": EncodingSpec(dim=256, tokens=None)})

    assert sum(each.numel() for each in fusion.parameters()) == 257
    assert sum(each.numel() for each in fusion.parameters() if each.requires_grad) == 256


def test_it_is_the_formula_of_the_paper() -> None:
    """Softmax over real tokens of u . s + c, then the weighted sum: computed subject by subject."""
    fusion = SoftAttention({"ct": SPECS["ct"]}).double()
    with torch.no_grad():
        fusion.scorers[0].bias.fill_(0.7)
    encoding = projected(pending())
    assert encoding.token_mask is not None

    fused = fusion({"ct": encoding})

    scorer = fusion.scorers[0]
    for row in range(5):
        real = encoding.tokens[row][encoding.token_mask[row]]
        score = torch.stack([scorer.weight[0] @ each + scorer.bias[0] for each in real])
        weight = score.exp() / score.exp().sum()
        expected = sum((w * s for w, s in zip(weight, real, strict=True)), torch.zeros(6))
        torch.testing.assert_close(fused.embedding[row], expected, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(fused.attention_weights["ct"][row, : len(real)], weight)


@pytest.mark.parametrize("scorer", ["linear", "mlp"])
def test_pooling_first_has_the_same_value_and_gradients(scorer: str) -> None:
    """Of scorer, linear layer and tokens, to 1e-12 in float64."""

    def run(*, early: bool) -> list[Tensor]:
        encoding = pending()
        torch.manual_seed(1)
        fusion = SoftAttention({"ct": SPECS["ct"]}, scorer=scorer).double()
        layer = encoding.projection
        assert layer is not None
        tokens = encoding.tokens.requires_grad_()
        fused = fusion({"ct": encoding if early else projected(encoding)})
        value = fused.embedding.sin().sum() + fused.attention_weights["ct"].square().sum()
        leaves = [tokens, *layer.parameters()]
        leaves += [each for each in fusion.parameters() if each.requires_grad]
        return [value, fused.embedding, *torch.autograd.grad(value, leaves)]

    for ours, right in zip(run(early=True), run(early=False), strict=True):
        torch.testing.assert_close(ours, right, rtol=1e-12, atol=1e-12)
