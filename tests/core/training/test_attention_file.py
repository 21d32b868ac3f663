"""Attention weights are watched while subjects are predicted."""

from __future__ import annotations

from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from survkit.data import Fold
from survkit.flow import Encoding, Fused
from survkit.model import SurvivalModel
from survkit.training.attention_file import write_attention
from survkit.training.attention_watch import EFFECTIVE_TOKENS, MODALITY_WEIGHT, attention_watched

FOLD = Fold(1, 2, (), (), ())


class Weighing(nn.Module):
    """A fusion whose weights are given."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, encodings: dict[str, Encoding]) -> Fused:
        rows = encodings["ct"].summary[:, 0].long()
        summary = encodings["ct"].summary
        return Fused(embedding=summary, attention_weights={"modality": self.weight[rows]})


def encodings(rows: list[int], present: list[bool]) -> dict[str, Encoding]:
    """Four tokens of ct of which one, two or all four are attended to; one token of blood."""
    attended = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4])[rows]
    summary = torch.tensor(rows, dtype=torch.float32)[:, None]
    tokens = summary[:, None].expand(-1, 4, -1)
    everybody = torch.ones(len(rows), dtype=torch.bool)
    return {
        "ct": Encoding(tokens, summary, everybody, attention_weights=attended),
        "blood": Encoding(tokens[:, :1], summary, torch.tensor(present)),
    }


def model(weight: list[list[float]]) -> SurvivalModel:
    parts: dict[str, Any] = {"ct": nn.Identity(), "blood": nn.Identity()}
    return SurvivalModel(encoders=parts, fusion=Weighing(torch.tensor(weight)), head=nn.Identity())


def test_weights_are_those_of_the_fusion_in_the_order_of_subjects() -> None:
    """Parts are joined, members averaged, absent modalities left open, tokens counted."""
    first = model([[0.2, 0.8], [0.4, 0.6], [0.0, 1.0]])
    second = model([[0.4, 0.6], [0.4, 0.6], [0.0, 1.0]])
    with attention_watched([first, second]) as watch:
        for member in (first, second):
            member.fusion(encodings([0, 1], [True, True]))
            member.fusion(encodings([2], [False]))
    found = watch.weights()

    assert set(found) == {
        (MODALITY_WEIGHT, "blood"), (MODALITY_WEIGHT, "ct"), (EFFECTIVE_TOKENS, "ct"),
    }  # fmt: skip
    np.testing.assert_allclose(found[MODALITY_WEIGHT, "blood"], [0.3, 0.4, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found[MODALITY_WEIGHT, "ct"], [0.7, 0.6, 1.0], rtol=1e-6)
    np.testing.assert_allclose(found[EFFECTIVE_TOKENS, "ct"], [1, exp(log(2)), 4], rtol=1e-6)


def test_watching_ends() -> None:
    """A model that has been watched is as it was."""
    watched = model([[0.5, 0.5]])
    with attention_watched([watched]) as watch:
        watched.fusion(encodings([0], [True]))
    watched.fusion(encodings([0], [True]))

    assert len(watch.weights()[MODALITY_WEIGHT, "ct"]) == 1
    assert not watched.fusion._forward_hooks


def test_the_file_has_a_row_per_subject_and_weight(tmp_path: Path) -> None:
    """Absent modalities have no row; without attention there is no file."""
    path = tmp_path / "attention.parquet"
    weights = {(MODALITY_WEIGHT, "blood"): np.array([0.3, np.nan])}
    write_attention(path, weights, FOLD, ["a", "b"])
    rows = pd.read_parquet(path).to_dict("records")

    assert rows == [
        {"subject": "a", "repeat": 1, "fold": 2, "quantity": MODALITY_WEIGHT}
        | {"modality": "blood", "value": 0.3}
    ]
    assert write_attention(tmp_path / "none.parquet", {}, FOLD, ["a"]) is None
    assert not (tmp_path / "none.parquet").exists()


def test_subjects_and_weights_must_be_as_many(tmp_path: Path) -> None:
    """Weights of others would be told under a wrong name."""
    weights = {(MODALITY_WEIGHT, "ct"): np.array([0.3, 0.7])}
    with pytest.raises(ValueError, match="longer"):
        write_attention(tmp_path / "a.parquet", weights, FOLD, ["a"])
