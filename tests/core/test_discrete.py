"""Discrete distributions sum to one, match closed forms and stay finite."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from survkit.discrete import cumulative_incidence, log_interval_hazard, log_pmf
from survkit.errors import CompositionError, DataError

SHAPES = {"pmf": (3 * 5 + 1,), "interval-hazard": (5,), "cause-interval-hazard": (5, 4)}


def draw(
    parameterization: str, scale: float = 1.0, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, int]:
    """Random parameters and their number of causes."""
    generator = torch.Generator().manual_seed(7)
    parameters = (
        torch.randn(6, *SHAPES[parameterization], generator=generator, dtype=torch.float64) * scale
    )
    return parameters.to(dtype), 1 if parameterization == "interval-hazard" else 3


@pytest.mark.parametrize("parameterization", SHAPES)
def test_probabilities_sum_to_one(parameterization: str) -> None:
    """Every event of every cause in every interval, and no event: one."""
    parameters, causes = draw(parameterization)

    log_event, log_none = log_pmf(parameters, parameterization, causes, 5)

    assert log_event.shape == (6, causes, 5)
    torch.testing.assert_close(
        log_event.exp().sum((1, 2)) + log_none.exp(), torch.ones(6, dtype=torch.float64)
    )


@pytest.mark.parametrize("parameterization", SHAPES)
@pytest.mark.parametrize("scale", [300.0, 3000.0])
def test_extreme_parameters_stay_finite(parameterization: str, scale: float) -> None:
    """Where probabilities underflow their logarithms and gradients do not."""
    parameters, causes = draw(parameterization, scale)
    parameters.requires_grad_()

    log_event, log_none = log_pmf(parameters, parameterization, causes, 5)
    (gradient,) = torch.autograd.grad(log_event.sum() + log_none.sum(), parameters)

    assert torch.isfinite(log_event).all()
    assert torch.isfinite(log_none).all()
    assert torch.isfinite(gradient).all()


def test_hazards_give_the_papers_incidence() -> None:
    """Three hazard rows and their cumulative incidences, worked out by hand from S(p-1) h(p)."""
    hazard = torch.tensor(
        [[0.3, 0.2, 0.1, 0.1], [0.1, 0.2, 0.4, 0.2], [0.05, 0.05, 0.1, 0.1]], dtype=torch.float64
    )
    expected = [
        [0.3, 0.44, 0.496, 0.5464],
        [0.1, 0.28, 0.568, 0.6544],
        [0.05, 0.0975, 0.18775, 0.268975],
    ]

    log_event, log_none = log_pmf(hazard.logit(), "interval-hazard", 1, 4)

    incidence = cumulative_incidence(log_event)[:, 0]
    torch.testing.assert_close(incidence, torch.tensor(expected, dtype=torch.float64))
    torch.testing.assert_close(1 - incidence[:, -1], log_none.exp())


def test_one_cause_softmax_hazard_is_the_sigmoid_hazard() -> None:
    """softmax(0, x) over "no event" and one cause equals sigmoid(x)."""
    logits, _ = draw("interval-hazard")
    stacked = torch.stack([torch.zeros_like(logits), logits], dim=2)

    one, none = log_pmf(logits, "interval-hazard", 1, 5)
    several, none_several = log_pmf(stacked, "cause-interval-hazard", 1, 5)

    torch.testing.assert_close(one, several)
    torch.testing.assert_close(none, none_several)


def test_pmf_layout_is_cause_major() -> None:
    """Entry (k - 1) * grid + t is cause k in interval t; the last entry is no event."""
    probability = torch.arange(1, 8, dtype=torch.float64)
    probability = probability / probability.sum()

    log_event, log_none = log_pmf(probability.log().unsqueeze(0), "pmf", 2, 3)

    torch.testing.assert_close(log_event.exp()[0], probability[:6].reshape(2, 3))
    torch.testing.assert_close(log_none.exp()[0], probability[6])


def test_hazard_recovers_from_the_pmf() -> None:
    """The pmf over the survival before the interval is the conditional probability that went in."""
    parameters, causes = draw("cause-interval-hazard")
    log_hazard, _ = log_interval_hazard(parameters, "cause-interval-hazard", causes, 5)

    log_event, _ = log_pmf(parameters, "cause-interval-hazard", causes, 5)

    before = 1 - cumulative_incidence(log_event).sum(1)
    before = torch.cat([torch.ones(6, 1, dtype=torch.float64), before[:, :-1]], dim=1)
    torch.testing.assert_close(log_event.exp() / before.unsqueeze(1), log_hazard.exp())


@pytest.mark.parametrize("parameterization", SHAPES)
@pytest.mark.parametrize(
    ("given", "inside"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_low_precision_is_promoted(
    parameterization: str, given: torch.dtype, inside: torch.dtype
) -> None:
    """The maths runs in float32 at least."""
    parameters, causes = draw(parameterization, dtype=given)

    log_event, log_none = log_pmf(parameters, parameterization, causes, 5)

    assert log_event.dtype == log_none.dtype == inside


def test_unknown_parameterization_is_refused() -> None:
    """A Cox head has no discrete distribution."""
    with pytest.raises(CompositionError, match="not 'log-hazard'"):
        log_pmf(torch.zeros(2, 1), "log-hazard", 1, 5)


def test_sigmoid_hazards_of_several_causes_are_refused() -> None:
    """The message names what would fit."""
    with pytest.raises(CompositionError, match="cause-interval-hazard"):
        log_pmf(torch.zeros(2, 5), "interval-hazard", 2, 5)


@pytest.mark.parametrize("parameterization", SHAPES)
def test_wrong_shape_is_refused(parameterization: str) -> None:
    """One interval too few is named with both shapes."""
    parameters, causes = draw(parameterization)
    with pytest.raises(DataError, match=r"must be of shape \(batch, "):
        log_pmf(parameters, parameterization, causes, 4)
