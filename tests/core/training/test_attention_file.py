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
from survkit.errors import PluginError
from survkit.flow import Encoding, Fused
from survkit.model import SurvivalModel
from survkit.report.token_weights import read_token_weights
from survkit.training.attention_file import (
    MOST_TOKENS,
    TOKEN_FILE,
    write_attention,
    write_token_attention,
)
from survkit.training.attention_watch import (
    EFFECTIVE_TOKENS,
    MODALITY_WEIGHT,
    TokenWeights,
    attention_watched,
)

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


class Attending(nn.Module):
    """A fusion that gives weights over the tokens of ct, those of the encoding times a factor."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, encodings: dict[str, Encoding]) -> Fused:
        own = encodings["ct"].attention_weights
        assert own is not None
        even = torch.full_like(own, 1 / own.shape[1])
        weight = (1 - self.shift) * own + self.shift * even
        return Fused(embedding=encodings["ct"].summary, attention_weights={"ct": weight})


def sliced(weight: list[list[float]], real: list[int], present: list[bool]) -> dict[str, Encoding]:
    """Return slices of ct of which so many are real; the others are padding."""
    values = torch.tensor(weight)
    mask = torch.arange(values.shape[1])[None] < torch.tensor(real)[:, None]
    summary = torch.zeros(len(values), 1)
    tokens = values[..., None]
    there = torch.tensor(present)
    return {"ct": Encoding(tokens, summary, there, token_mask=mask, attention_weights=values)}


def attending(shift: float) -> SurvivalModel:
    encoders: dict[str, Any] = {"ct": nn.Identity()}
    return SurvivalModel(encoders=encoders, fusion=Attending(shift), head=nn.Identity())


def test_weights_over_real_tokens_are_kept_whatever_the_batch() -> None:
    """Padding is left out, members are averaged, absent subjects have none; one slice is one."""
    members = [attending(0.0), attending(0.5)]
    with attention_watched(members) as watch:
        for member in members:
            member.fusion(sliced([[0.2, 0.8], [0.0, 1.0]], [2, 2], [True, False]))
            member.fusion(sliced([[1.0]], [1], [True]))
            member.fusion(sliced([[0.5, 0.25, 0.25, 0.0]], [3], [True]))
    found = watch.tokens()["ct"]

    assert found.grid is None
    assert found.subjects[1] is None
    assert found.subjects[0] is not None
    np.testing.assert_allclose(found.subjects[0], [0.275, 0.725], rtol=1e-6)
    assert found.subjects[2] is not None
    np.testing.assert_allclose(found.subjects[2], [1.0])
    assert [None if one is None else len(one) for one in found.subjects] == [2, None, 1, 3]
    assert len(watch.weights()[EFFECTIVE_TOKENS, "ct"]) == 4


def test_places_of_a_grid_stay_where_tokens_were_left_out(tmp_path: Path) -> None:
    """Two of 2 x 2 patches computed: the others have their row with nothing in it."""
    mask = torch.tensor([[True, False, True, False], [False, False, False, True]])
    values = torch.tensor([[0.25, 0.0, 0.75, 0.0], [0.0, 0.0, 0.0, 1.0]])
    there = torch.ones(2, dtype=torch.bool)
    given = Encoding(values[..., None], values[:, :1], there, mask, (2, 2), None, values)
    member = attending(0.0)
    with attention_watched([member]) as watch:
        member.fusion({"ct": given})
    (tmp_path / "fold-2").mkdir()

    path = tmp_path / "fold-2" / TOKEN_FILE
    write_token_attention(path, watch.tokens(), {"ct": "image"}, FOLD, ["a", "b"])

    rows = read_token_weights(tmp_path)["ct"].rows
    assert [row.weight.tolist() for row in rows] == values.tolist()


def test_batches_without_the_modality_leave_a_gap_at_their_place() -> None:
    """An encoder attends only where somebody has the image; the others keep their places."""

    class Nothing(nn.Module):
        def forward(self, encodings: dict[str, Encoding]) -> Fused:
            return Fused(embedding=encodings["ct"].summary)

    encoders: dict[str, Any] = {"ct": nn.Identity()}
    model = SurvivalModel(encoders=encoders, fusion=Nothing(), head=nn.Identity())
    absent = {"ct": Encoding(torch.zeros(2, 1, 1), torch.zeros(2, 1), torch.zeros(2).bool())}
    with attention_watched([model]) as watch:
        model.fusion(absent)
        model.fusion(sliced([[0.2, 0.8]], [2], [True]))
        model.fusion(absent)
    tokens = watch.tokens()["ct"].subjects

    assert [one is None for one in tokens] == [True, True, False, True, True]
    effective = watch.weights()[EFFECTIVE_TOKENS, "ct"]
    assert np.isnan(effective).tolist() == [True, True, False, True, True]


def test_single_tokens_are_no_attention() -> None:
    """Where everybody has one token, nothing was chosen."""
    model = attending(0.0)
    with attention_watched([model]) as watch:
        model.fusion(sliced([[1.0]], [1], [True]))

    assert watch.tokens() == {}
    assert watch.weights() == {}


def tokens(*subjects: list[float] | None, grid: tuple[int, ...] | None = None) -> TokenWeights:
    kept = (None if own is None else np.array(own, dtype=np.float32) for own in subjects)
    return TokenWeights(tuple(kept), grid)


def test_the_token_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    """A row per real token, positions from 0 to 1 (none for a slice alone), small numbers."""
    path = tmp_path / "fold-2" / TOKEN_FILE
    path.parent.mkdir()
    given = {"ct": tokens([0.25, 0.75], None, [1.0], [0.5, 0.0, 0.5])}
    write_token_attention(path, given, {"ct": "volume"}, FOLD, ["a", "b", "c", "d"])
    frame = pd.read_parquet(path)
    found = read_token_weights(tmp_path)["ct"]

    assert frame["subject"].tolist() == ["a", "a", "c", "d", "d", "d"]
    assert frame["token"].tolist() == [0, 1, 0, 0, 1, 2]
    assert frame["position"].isna().tolist() == [False, False, True, False, False, False]
    assert frame["position"].dropna().tolist() == [0, 1, 0, 0.5, 1]
    assert frame["weight"].dtype == np.float32
    assert set(frame["repeat"]) == {1}
    assert set(frame["fold"]) == {2}
    assert (found.kind, found.grid, found.left_out) == ("volume", None, None)
    assert [row.subject for row in found.rows] == ["a", "c", "d"]
    assert found.rows[2].weight.tolist() == [0.5, 0.0, 0.5]


def test_too_many_tokens_are_left_out_with_a_reason(tmp_path: Path) -> None:
    """The file stays small, and says what it lacks; at the limit everything is kept."""
    path = tmp_path / "fold-0" / TOKEN_FILE
    path.parent.mkdir()
    many = MOST_TOKENS + 1
    given = {
        "ct": tokens([1 / many] * many),
        "pet": tokens([1 / MOST_TOKENS] * MOST_TOKENS, grid=(16, 16, 16)),
    }
    write_token_attention(path, given, {"ct": "volume", "pet": "volume"}, FOLD, ["a"])
    found = read_token_weights(tmp_path)

    assert found["ct"].rows == ()
    assert found["ct"].left_out == "4097 tokens of a subject are more than the 4096 that are kept"
    assert found["pet"].grid == (16, 16, 16)
    assert len(found["pet"].rows[0].weight) == MOST_TOKENS
    assert path.stat().st_size < 64 * 1024


@pytest.mark.parametrize("weight", [[0.5, 0.6], [1.2, -0.2], [float("nan"), 1.0]])
def test_weights_that_are_none_are_refused(tmp_path: Path, weight: list[float]) -> None:
    """The line names the modality and the subject."""
    with pytest.raises(PluginError, match=r"'ct' must be 0 or more and sum to one.*subject 'a'"):
        write_token_attention(
            tmp_path / TOKEN_FILE, {"ct": tokens(weight)}, {"ct": "volume"}, FOLD, ["a"]
        )


def test_nothing_is_written_where_nothing_attends(tmp_path: Path) -> None:
    """A run without attention has no such file."""
    assert write_token_attention(tmp_path / TOKEN_FILE, {}, {}, FOLD, ["a"]) is None
    assert not list(tmp_path.iterdir())
