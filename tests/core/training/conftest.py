"""Small networks with everything that makes gradient caching hard, and batches for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from survkit.flow import (
    Batch,
    Encoding,
    Fused,
    ModalityInput,
    ModelOutput,
    SurvivalTarget,
)
from survkit.model import SurvivalModel
from survkit.objective import Objective, Term
from survkit.prediction import GridPrediction
from survkit.specs import EncodingSpec


class NoisyVolumeEncoder(nn.Module):
    """A 3-D network with batch normalisation and dropout, and a decoder with its own dropout that
    only feeds a penalty.
    """

    def __init__(self, dim: int = 4) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv3d(1, 3, 3, padding=1),
            nn.BatchNorm3d(3),
            nn.ReLU(),
            nn.Dropout3d(0.3),
            nn.Conv3d(3, dim, 3, padding=1),
            nn.BatchNorm3d(dim, momentum=None),
        )
        self.decoder = nn.Sequential(nn.Dropout(0.5), nn.Linear(dim, 1), nn.Flatten())
        self.decoder_scale = nn.BatchNorm3d(dim)
        self.encoding = EncodingSpec(dim=dim, penalties=("reconstruction",))
        self.decoder_calls = 0

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        features = self.trunk(input.values)
        summary = features.mean(dim=(2, 3, 4))
        made: dict[str, Tensor] = {}
        if penalties:
            self.decoder_calls += 1
            decoded = self.decoder(self.decoder_scale(features).mean(dim=(2, 3, 4)))
            made["reconstruction"] = (decoded[:, 0] - input.values.mean(dim=(1, 2, 3, 4))).square()
        return Encoding(
            tokens=summary[:, None], summary=summary, present=input.present, penalties=made
        )


class NoisyVectorEncoder(nn.Module):
    """A linear map with dropout that follows the volume encoder and so sees its random draws."""

    def __init__(self, dim: int = 4) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(5, dim), nn.Dropout(0.4))
        self.encoding = EncodingSpec(dim=dim)

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        summary = self.net(input.values)
        return Encoding(tokens=summary[:, None], summary=summary, present=input.present)


class SumFusion(nn.Module):
    dim = 4
    penalties = ("spread",)

    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.2)

    def forward(self, encodings: dict[str, Encoding]) -> Fused:
        parts = {name: value.summary for name, value in encodings.items()}
        embedding = self.drop(sum(parts.values()))
        return Fused(embedding, parts, penalties={"spread": embedding.square().mean(dim=1)})


class LinearHead(nn.Module):
    parameterization = "log-hazard"

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 1)

    def forward(self, embedding: Tensor) -> Tensor:
        return self.linear(embedding)

    def predict(self, parameters: Tensor) -> GridPrediction:
        incidence = parameters.double().sigmoid()[:, :, None]
        return GridPrediction(torch.tensor([1.0]).double(), incidence, "linear", parameters)


def partial_likelihood(output: ModelOutput, target: SurvivalTarget) -> Tensor:
    """Breslow's mean negative log partial likelihood by the definition."""
    at_risk = target.duration[None] >= target.duration[:, None]
    score = output.parameters[:, 0].double()
    log_risk = score.expand(len(score), -1).masked_fill(~at_risk, -torch.inf).logsumexp(1)
    observed = target.event > 0
    return ((log_risk - score) * observed).sum() / observed.sum().clamp(min=1)


def coupled_embeddings(output: ModelOutput, target: SurvivalTarget) -> Tensor:
    """A term over all pairs of embeddings, of the fusion and of each modality."""
    total = torch.cdist(output.embedding.double(), output.embedding.double()).square().mean()
    for value in output.modality_embeddings.values():
        total = total + (value.double().mean(0) ** 2).sum()
    return total


def build_model(dtype: torch.dtype = torch.float64) -> SurvivalModel:
    torch.manual_seed(3)
    encoders = {"ct": NoisyVolumeEncoder(), "rna": NoisyVectorEncoder()}
    return SurvivalModel(encoders=encoders, fusion=SumFusion(), head=LinearHead()).to(dtype)


def build_objective(*, penalties: bool = True) -> Objective:
    terms = (Term("cox", 1.0, partial_likelihood), Term("pairs", 0.1, coupled_embeddings))
    weights = {"ct.reconstruction": 0.3, "fusion.spread": 0.2}
    return Objective(terms, weights if penalties else {})


def build_batches(
    sizes: list[int], dtype: torch.dtype = torch.float64, seed: int = 0
) -> list[Batch]:
    generator = torch.Generator().manual_seed(seed)
    batches, first = [], 0
    for size in sizes:
        values = torch.randn(size, 1, 4, 4, 4, generator=generator, dtype=torch.float64)
        vector = torch.randn(size, 5, generator=generator, dtype=torch.float64)
        duration = torch.rand(size, generator=generator, dtype=torch.float64) + 0.1
        event = (torch.rand(size, generator=generator) < 0.6).long()
        present = torch.ones(size, dtype=torch.bool)
        inputs = {
            "ct": ModalityInput(values.to(dtype), present),
            "rna": ModalityInput(vector.to(dtype), present),
        }
        row = torch.arange(first, first + size)
        batches.append(Batch(inputs, SurvivalTarget(duration, event), row))
        first += size
    return batches


@pytest.fixture
def model_factory() -> Callable[..., SurvivalModel]:
    return build_model


@pytest.fixture
def objective_factory() -> Callable[..., Objective]:
    return build_objective


@pytest.fixture
def batches_factory() -> Callable[..., list[Batch]]:
    return build_batches
