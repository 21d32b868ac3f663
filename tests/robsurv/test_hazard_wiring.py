"""Core's hazard head and losses under their registry names: the paper's wiring and numbers."""

from __future__ import annotations

import pytest
import torch

from survkit.flow import ModelOutput, SurvivalTarget
from survkit.plugins import default_registry
from survkit.specs import OutcomeSpec

HAZARD = torch.tensor(
    [[0.3, 0.2, 0.1, 0.1], [0.1, 0.2, 0.4, 0.2], [0.05, 0.05, 0.1, 0.1]], dtype=torch.float64
)
OUTCOME = OutcomeSpec(causes=("death",), horizon=4.0, time_grid=(1.0, 2.0, 3.0, 4.0))
# Intervals 1, 3 and 4 of the paper, counted from 1; the last is censored within its interval.
TARGET = SurvivalTarget(
    duration=torch.tensor([0.5, 2.5, 3.5], dtype=torch.float64), event=torch.tensor([1, 1, 0])
)


def output() -> ModelOutput:
    """Return those hazards as the softmax of "no event" and the one cause."""
    parameters = torch.stack([torch.zeros_like(HAZARD), HAZARD.logit()], dim=2)
    return ModelOutput(parameters, "cause-interval-hazard", torch.zeros(3, 1))


@pytest.mark.parametrize(
    ("name", "settings", "total"),
    [
        ("hazard-likelihood", {}, 2.6567147076050546),
        ("hazard-likelihood", {"censored": "inclusive"}, 2.762075223262881),
        ("deephit-ranking", {}, 0.23973519663747794),
    ],
)
def test_golden_losses(name: str, settings: dict[str, str], total: float) -> None:
    """Eq. 12 as printed and inclusive, the ranking sum at sigma 0.1; sums of three terms each.

    The numbers are those of a plain float64 transcription of the equations, made apart from this
    code.
    """
    loss = default_registry().find("loss", name).load()(OUTCOME, **settings)

    assert "cause-interval-hazard" in loss.accepts
    assert float(loss(output(), TARGET)) * 3 == pytest.approx(total, rel=1e-13)


def test_golden_incidence() -> None:
    """F_k(p) = sum over q <= p of S(q - 1) h_{q,k}."""
    head = default_registry().find("head", "cause-hazard").load()(2, OUTCOME)

    prediction = head.predict(output().parameters)

    incidence = prediction.cumulative_incidence(torch.tensor(OUTCOME.time_grid))
    expected = torch.tensor(
        [[0.3, 0.44, 0.496, 0.5464], [0.1, 0.28, 0.568, 0.6544], [0.05, 0.0975, 0.18775, 0.268975]],
        dtype=torch.float64,
    )
    torch.testing.assert_close(incidence[:, 0], expected)


def test_the_head_is_wired_as_in_the_paper() -> None:
    """Shared 512 -> 256; per risk [shared ; F] 768 -> 128 -> P_t; "no event" is a logit of 0."""
    outcome = OutcomeSpec(
        causes=("relapse", "death"), horizon=10.0, time_grid=tuple(map(float, range(1, 11)))
    )
    build = default_registry().find("head", "cause-hazard").load()
    torch.manual_seed(0)
    head = build(512, outcome, shared=[256], cause=[128]).double().eval()
    embedding = torch.randn(3, 512, dtype=torch.float64)

    parameters = head(embedding)

    shapes = [tuple(each.shape) for each in head.parameters() if each.ndim == 2]
    assert shapes == [(256, 512), (128, 768), (10, 128), (128, 768), (10, 128)]
    weights = list(head.parameters())
    shared = (embedding @ weights[0].T + weights[1]).relu()
    whole = torch.cat([shared, embedding], dim=1)
    for cause in (0, 1):
        narrow, narrow_bias, last, last_bias = weights[2 + 4 * cause : 6 + 4 * cause]
        logits = (whole @ narrow.T + narrow_bias).relu() @ last.T + last_bias
        torch.testing.assert_close(parameters[:, :, 1 + cause], logits)
    assert not bool(parameters[:, :, 0].any())
    hazards = parameters.softmax(2)[:, :, 1:]
    assert bool((hazards.sum(2) < 1).all())


def test_the_papers_wiring_is_the_default() -> None:
    """A recipe need not spell it out."""
    build = default_registry().find("head", "cause-hazard").load()
    spelt = build(512, OUTCOME, shared=[256], cause=[128])

    shapes = {name: each.shape for name, each in build(512, OUTCOME).state_dict().items()}

    assert shapes == {name: each.shape for name, each in spelt.state_dict().items()}
