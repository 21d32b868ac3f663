"""MultiSurv's row-wise maximum, and modality dropout."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch import nn

from survkit.errors import ConfigError
from survkit.specs import EncodingSpec
from survkit.testing import FusionConformance, random_encodings
from survkit_robsurv.compared.max_pooling import MaxFusion

SPECS = {
    "ct": EncodingSpec(dim=6, tokens=None),
    "pet": EncodingSpec(dim=4, tokens=8, grid=(2, 2, 2)),
    "clinical": EncodingSpec(dim=3),
}


class TestMax(FusionConformance):
    component = MaxFusion
    encodings = SPECS
    settings: ClassVar = {"dim": 5}


def test_it_is_the_largest_entry_over_those_present() -> None:
    """An absent modality is no zero: where all others are negative, the result is."""
    fusion = MaxFusion({"ct": EncodingSpec(dim=2), "pet": EncodingSpec(dim=2)}, dim=2).eval()
    for layer in fusion.projections:
        assert isinstance(layer, nn.Linear)
        layer.weight.data, layer.bias.data = torch.eye(2), torch.zeros(2)
    given = random_encodings({"ct": EncodingSpec(dim=2), "pet": EncodingSpec(dim=2)}, 2)
    ct, pet = torch.tensor([[-1.0, 2.0], [-3.0, -4.0]]), torch.tensor([[1.0, -2.0], [0.0, 0.0]])
    given = {
        "ct": replace(given["ct"], summary=ct),
        "pet": replace(given["pet"], summary=pet, present=torch.tensor([True, False])),
    }

    assert fusion(given).embedding.tolist() == [[1.0, 2.0], [-3.0, -4.0]]


def test_modalities_go_at_their_rate_but_never_the_last() -> None:
    """The embedding of one of two is its own vector; both stay with (1 - q)^2 at least."""
    torch.manual_seed(0)
    specs = {"ct": EncodingSpec(dim=2), "pet": EncodingSpec(dim=2)}
    fusion = MaxFusion(specs, dim=3, modality_dropout=0.5).train()
    given = random_encodings(specs, 4000)

    fused = fusion(given)

    vectors = torch.stack([fused.modality_embeddings[name] for name in ("ct", "pet")], dim=1)
    alone = (fused.embedding[:, None] == vectors).all(dim=2)
    both = (fused.embedding == vectors.amax(dim=1)).all(dim=1)
    assert bool((alone.any(dim=1) | both).all())
    mixed = (vectors.amax(dim=1)[:, None] != vectors).any(dim=2).all(dim=1)
    assert 0.2 < float((both & mixed).sum() / mixed.sum()) < 0.3


def test_wrong_settings_are_refused() -> None:
    """A rate of one would drop everybody."""
    with pytest.raises(ConfigError, match="modality_dropout must lie in"):
        MaxFusion(SPECS, modality_dropout=1.0)
    with pytest.raises(ConfigError, match="dim must be at least 1"):
        MaxFusion(SPECS, dim=0)
