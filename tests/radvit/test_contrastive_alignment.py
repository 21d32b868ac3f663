"""Contrastive alignment against known values of NT-Xent and a slow loop."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from survkit.errors import ConfigError, DataError
from survkit.flow import ModelOutput
from survkit.specs import OutcomeSpec
from survkit.testing import LossConformance, random_output, random_target
from survkit_radvit.contrastive_alignment import (
    ContrastiveAlignment,
    contrastive_alignment_loss,
)

OUTCOME = OutcomeSpec(causes=("death",), horizon=10.0, time_grid=(2.0, 5.0, 10.0))
IMAGE = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
RADIOMICS = torch.tensor([[1.0, 0.2], [0.1, 1.0], [0.5, -1.0]], dtype=torch.float64)
ALL = torch.ones(3, dtype=torch.bool)


class TestContrastiveAlignment(LossConformance):
    component = ContrastiveAlignment
    outcome = OUTCOME
    settings: ClassVar = {"query": "ct"}


class TestBothDirections(LossConformance):
    component = ContrastiveAlignment
    outcome = OUTCOME
    settings: ClassVar = {"symmetric": True, "temperature": 0.05}


def output(**vectors: Tensor) -> ModelOutput:
    subjects = len(next(iter(vectors.values())))
    return replace(
        random_output("log-hazard", OUTCOME, subjects, dtype=torch.float64),
        modality_embeddings=vectors,
    )


def loss_of(given: ModelOutput, **settings: Any) -> float:
    subjects = len(given.parameters)
    return float(ContrastiveAlignment(OUTCOME, **settings)(given, random_target(OUTCOME, subjects)))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 1.2013948519280848),
        ({"query": "radiomics"}, 1.0131866043000455),
        ({"key": "cxr"}, 1.0131866043000455),
        ({"symmetric": True}, 1.1072907281140651),
        ({"query": "cxr", "key": "radiomics"}, 1.2013948519280848),
    ],
)
def test_known_values(settings: dict[str, Any], expected: float) -> None:
    """Tau = 0.5, float64, computed apart with numpy; from the image to its radiomics by default."""
    given = output(cxr=IMAGE * 3, radiomics=RADIOMICS * torch.tensor([[2.0], [0.1], [7.0]]))

    torch.testing.assert_close(loss_of(given, **settings), expected, rtol=1e-12, atol=0)


def test_it_is_the_formula_over_those_who_have_both() -> None:
    """Query by query; who lacks one of the two neither asks nor is among the keys."""
    torch.manual_seed(0)
    query, key = torch.randn(2, 7, 4, dtype=torch.float64)
    query[1], key[4] = 0.0, 0.0
    rows = [0, 2, 3, 5, 6]
    total = 0.0
    for i in rows:
        score = [functional.cosine_similarity(query[i], key[j], dim=0) / 0.1 for j in rows]
        total -= float(torch.stack(score).log_softmax(0)[rows.index(i)]) / len(rows)

    found = loss_of(output(cxr=query, radiomics=key), temperature=0.1)

    torch.testing.assert_close(found, total, rtol=1e-10, atol=0)


def test_a_case_weight_counts_among_queries_and_keys() -> None:
    """-sum_i w_i log(exp s_ii / sum_j w_j exp s_ij) / sum w, written out."""
    weight = torch.tensor([0.5, 2.0, 1.5], dtype=torch.float64)
    score = functional.cosine_similarity(IMAGE[:, None], RADIOMICS, dim=2) / 0.5
    terms = score.diagonal() - (weight * score.exp()).sum(dim=1).log()

    loss = contrastive_alignment_loss(IMAGE, RADIOMICS, ALL, weight=weight)

    expected = -(weight * terms).sum() / weight.sum()
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)


def test_alike_cosines_leave_the_logarithm_of_the_risk_set() -> None:
    """What a loss that learns nothing stands at."""
    same = torch.ones(8, 3, dtype=torch.float64)

    torch.testing.assert_close(loss_of(output(cxr=same, radiomics=same)), log(8))


@pytest.mark.parametrize("present", [0, 1])
def test_nobody_or_one_subject_is_zero_with_a_graph(present: int) -> None:
    """There is no negative; the gradient is zero, and finite where rows are zero."""
    query = IMAGE.clone()
    query[present:] = 0.0
    query.requires_grad_()

    loss = contrastive_alignment_loss(query, RADIOMICS, torch.arange(3) < present)
    (gradient,) = torch.autograd.grad(loss, query)

    assert float(loss.detach()) == 0.0
    assert not bool(gradient.any())


def test_far_apart_cosines_at_a_small_temperature_stay_exact() -> None:
    """exp(1 / 0.001) is beyond float64; the worst pair costs 2 / tau and no more."""
    query = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])

    loss = contrastive_alignment_loss(
        query, -query, torch.ones(2, dtype=torch.bool), temperature=1e-3
    )

    torch.testing.assert_close(float(loss), 2000.0, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("names", "settings", "message"),
    [
        (("ct", "pet"), {}, "set query to ct or pet .none is called 'radiomics'."),
        (("ct", "pet", "radiomics"), {}, "embeddings of ct, pet, radiomics; set query and key"),
        (("ct",), {}, "embeddings of ct; radvit/mixed-risk gives two"),
        ((), {}, "embeddings of none; radvit/mixed-risk gives two"),
        (("ct", "pet"), {"query": "cxr"}, "is set to cxr, but the fusion gives .* ct and pet"),
        (("ct", "pet"), {"query": "ct", "key": "mr"}, "ct, pet and none of mr"),
    ],
)
def test_modalities_in_doubt_are_refused(
    names: tuple[str, ...], settings: dict[str, Any], message: str
) -> None:
    """The sentence names those that there are."""
    given = replace(output(x=IMAGE), modality_embeddings=dict.fromkeys(names, IMAGE))

    with pytest.raises(DataError, match=message):
        loss_of(given, **settings)


def test_embeddings_of_two_widths_are_refused() -> None:
    """With both widths, and who gives one."""
    with pytest.raises(DataError, match="gives cxr 2, radiomics 1; radvit/mixed-risk and mean"):
        loss_of(output(cxr=IMAGE, radiomics=RADIOMICS[:, :1]))


def test_settings_out_of_range_are_refused() -> None:
    """With the value that came."""
    with pytest.raises(ConfigError, match="temperature must be positive, not 0"):
        ContrastiveAlignment(OUTCOME, temperature=0.0)
    with pytest.raises(ConfigError, match="two modalities, not 'ct' twice"):
        ContrastiveAlignment(OUTCOME, query="ct", key="ct")
