"""A linear layer that an encoder leaves pending is applied before ordinary fusions."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from survkit.flow import Encoding, projected, select
from survkit.fusions.mean import MeanFusion
from survkit.model import SurvivalModel
from survkit.specs import EncodingSpec
from survkit.testing import random_encoding

SPEC = EncodingSpec(dim=4, tokens=None)


def pending() -> Encoding:
    """Return an encoding whose tokens have six entries before projection to four."""
    torch.manual_seed(0)
    plain = random_encoding(SPEC, 3)
    tokens = torch.randn(3, 5, 6)
    return replace(plain, tokens=tokens, projection=nn.Linear(6, 4))


class Looking(nn.Module):
    """A fusion that keeps what it was given."""

    dim, penalties = 4, ()
    seen: Encoding

    def forward(self, encodings: dict[str, Encoding]) -> object:
        self.seen = encodings["ct"]
        return MeanFusion({"ct": SPEC}, dim=None)({"ct": replace(encodings["ct"], projection=None)})


class LookingEarlier(Looking):
    reads_unprojected = True


class Width(nn.Module):
    parameterization = "log-hazard"

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        return embedding[:, :1]


def decided(fusion: Looking) -> Encoding:
    """Return what the fusion saw."""
    model = SurvivalModel(encoders={}, fusion=fusion, head=Width())
    model.decide({"ct": pending()})
    return fusion.seen


def test_an_ordinary_fusion_sees_projected_tokens() -> None:
    """Nothing is pending any more, and every token went through the layer."""
    seen, given = decided(Looking()), pending()

    assert seen.projection is None
    assert given.projection is not None
    torch.testing.assert_close(seen.tokens, given.projection(given.tokens))


def test_a_fusion_that_asks_sees_the_raw_tokens() -> None:
    """It is told the layer, and applies it itself."""
    seen = decided(LookingEarlier())

    assert seen.projection is not None
    assert seen.tokens.shape == (3, 5, 6)


def test_a_selection_of_subjects_keeps_the_layer() -> None:
    """The layer is no tensor of the batch, so it is not cut."""
    given = pending()

    part = select(given, torch.tensor([2]))

    assert part.projection is given.projection
    torch.testing.assert_close(projected(part).tokens[0], projected(given).tokens[2])
