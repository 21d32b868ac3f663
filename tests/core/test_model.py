from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from survkit.errors import DataError
from survkit.flow import Encoding, Fused, ModalityInput
from survkit.model import SurvivalModel, encode_present
from survkit.specs import EncodingSpec


class Doubling(nn.Module):
    """Encodes a vector as itself, after a batch norm that remembers whom it saw."""

    encoding = EncodingSpec(dim=2, penalties=("size",))

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2, affine=False)

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        seen = self.norm(input.values)
        return Encoding(
            tokens=seen[:, None],
            summary=seen,
            present=input.present,
            penalties={"size": seen.square().sum(dim=1)} if penalties else {},
        )


class Summing(nn.Module):
    """Adds the summaries."""

    dim = 2
    penalties = ()

    def forward(self, encodings: dict[str, Encoding]) -> Fused:
        total = torch.stack([encodings[name].summary for name in sorted(encodings)]).sum(dim=0)
        return Fused(embedding=total, penalties={"height": total[:, 0]})


class First(nn.Module):
    """Gives the first coordinate as log hazard."""

    parameterization = "log-hazard"

    def forward(self, embedding: Tensor) -> Tensor:
        return embedding[:, :1]


def model() -> SurvivalModel:
    return SurvivalModel(
        encoders={"pet": Doubling(), "ct": Doubling()}, fusion=Summing(), head=First()
    )


def vectors(present: list[bool], *, seed: int = 0) -> ModalityInput:
    mask = torch.tensor(present)
    values = torch.randn(len(present), 2, generator=torch.Generator().manual_seed(seed))
    return ModalityInput(values=values * mask[:, None], present=mask, complete=all(present))


def test_absent_subjects_reach_no_normalisation_statistic() -> None:
    """A batch norm that sees zeros of absent subjects would shift everybody else."""
    alone, mixed = Doubling(), Doubling()
    input = vectors([True, False, True, True, False])
    rows = input.present.nonzero().flatten()
    there = replace(input, values=input.values[rows], present=input.present[rows], complete=True)

    expected = encode_present(alone, there, penalties=True)
    found = encode_present(mixed, input, penalties=True)

    torch.testing.assert_close(found.summary[rows], expected.summary)
    torch.testing.assert_close(mixed.norm.running_mean, alone.norm.running_mean)
    assert (found.summary[~input.present] == 0).all()
    assert (found.penalties["size"][~input.present] == 0).all()


def test_a_batch_in_which_nobody_has_the_modality_is_ordinary() -> None:
    """Its encoding is zeros that nobody owns, with the declared penalties."""
    found = encode_present(Doubling(), vectors([False, False]), penalties=True)

    assert found.tokens.shape == (2, 1, 2)
    assert not found.present.any()
    assert found.penalties["size"].tolist() == [0.0, 0.0]


def test_penalties_are_named_by_where_they_come_from() -> None:
    """A recipe weighs ``ct.size`` and ``fusion.height``."""
    output = model()({"ct": vectors([True] * 3), "pet": vectors([True] * 3)})

    assert sorted(output.penalties) == ["ct.size", "fusion.height", "pet.size"]


def test_encoders_skip_penalties_when_asked() -> None:
    """The first pass of gradient caching wants none from the encoders."""
    output = model()({"ct": vectors([True] * 3), "pet": vectors([True] * 3)}, penalties=False)

    assert "ct.size" not in output.penalties


def test_a_modality_that_is_not_given_is_refused() -> None:
    """Missing for a subject is a row, missing for everybody is a mistake."""
    with pytest.raises(DataError, match="takes the modalities ct, pet, but pet is not given"):
        model()({"ct": vectors([True])})
