"""The MTLR and piecewise constant hazard heads: closed forms, and where a fresh head starts."""

from __future__ import annotations

import pytest
import torch

from survkit.errors import CompositionError, DataError
from survkit.heads.mtlr import MTLRHead
from survkit.heads.pc_hazard import PCHazardHead
from survkit.specs import OutcomeSpec

GRID = (3.0, 6.0, 12.0, 24.0)
ONE = OutcomeSpec(causes=("death",), horizon=24.0, time_grid=GRID)
TWO = OutcomeSpec(causes=("cancer", "other"), horizon=24.0, time_grid=GRID)


def test_mtlr_logits_are_sums_of_the_scores_from_the_interval_on() -> None:
    """With scores 1, 2, 4, 8 the event logits are 15, 14, 12, 8, and 0 for no event."""
    head = MTLRHead(2, ONE).double()
    with torch.no_grad():
        head.output.weight.zero_()
        head.output.bias.copy_(torch.tensor([1.0, 2.0, 4.0, 8.0]))

    logits = head(torch.zeros(1, 2, dtype=torch.float64))

    torch.testing.assert_close(logits, torch.tensor([[15.0, 14.0, 12.0, 8.0, 0.0]]).double())


def test_mtlr_survival_is_the_share_of_what_is_left() -> None:
    """Equation 5 by hand: S(t_k) = sum of exp(f) over later sequences / sum over all."""
    head = MTLRHead(3, ONE).double()
    embedding = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    survival = head.predict(head(embedding)).survival(GRID)

    score = head.output(embedding)
    left = torch.stack(
        [score[:, k:].sum(1) if k < 4 else torch.zeros(5).double() for k in range(5)], dim=1
    ).exp()
    expected = torch.stack([left[:, k + 1 :].sum(1) / left.sum(1) for k in range(4)], dim=1)
    torch.testing.assert_close(survival, expected)


def test_mtlr_has_a_sequence_of_scores_per_cause() -> None:
    """A score of one cause moves the logits of that cause alone."""
    head = MTLRHead(1, TWO).double()
    before = head(torch.zeros(1, 1, dtype=torch.float64))
    with torch.no_grad():
        head.output.bias[5] += 1.0  # cause 2, second interval

    moved = head(torch.zeros(1, 1, dtype=torch.float64)) - before

    assert moved.tolist() == [[0, 0, 0, 0, 1, 1, 0, 0, 0]]


@pytest.mark.parametrize("outcome", [ONE, TWO])
def test_a_fresh_mtlr_head_lets_half_reach_the_horizon(outcome: OutcomeSpec) -> None:
    """Equal mass everywhere, and one half of it beyond the horizon."""
    head = MTLRHead(2, outcome).double()

    prediction = head.predict(head(torch.zeros(1, 2, dtype=torch.float64)))

    causes = len(outcome.causes)
    mass = prediction.cumulative_incidence(GRID).diff(dim=2, prepend=torch.zeros(1, causes, 1))
    torch.testing.assert_close(mass, torch.full((1, causes, 4), 0.5 / causes / 4).double())


def test_piecewise_survival_is_exponential_within_an_interval() -> None:
    """S(9) = exp(-(h1 + h2 + h3 / 2)): the hazard is constant between 6 and 12."""
    head = PCHazardHead(2, ONE)
    gained = torch.tensor([[0.1, 0.2, 0.4, 0.8]]).double()

    prediction = head.predict(gained.expm1().log())

    expected = torch.tensor([[1.0, 0.1 / 3, 0.1, 0.3, 0.5, 0.7, 1.5]]).double()
    expected[0, 0] = 0.0
    times = [0.0, 1.0, 3.0, 6.0, 9.0, 12.0, 24.0]
    torch.testing.assert_close(prediction.cumulative_hazard(times), expected)
    torch.testing.assert_close(prediction.survival(times), (-expected).exp())
    torch.testing.assert_close(prediction.risk_score(9.0), expected[:, 4])
    torch.testing.assert_close(
        prediction.hazard([1.0, 9.0]), torch.tensor([[0.1 / 3, 0.4 / 6]]).double()
    )


def test_a_fresh_piecewise_head_has_one_hazard() -> None:
    """Half reach the horizon, at the same hazard per unit of time in unequal intervals."""
    head = PCHazardHead(2, ONE).double()

    prediction = head.predict(head(torch.zeros(1, 2, dtype=torch.float64)))

    times = torch.tensor([1.0, 5.0, 24.0]).double()
    torch.testing.assert_close(
        prediction.survival(times)[0], 0.5 ** (times / 24.0), rtol=1e-6, atol=0
    )


def test_several_causes_are_refused_by_name() -> None:
    """The sentence says what would fit."""
    with pytest.raises(CompositionError, match=r"cancer, other.*cause-hazard"):
        PCHazardHead(2, TWO)


def test_another_cause_is_refused() -> None:
    """A model of one cause knows no second."""
    head = PCHazardHead(2, ONE)

    with pytest.raises(DataError, match="cause 2"):
        head.predict(torch.zeros(1, 4)).risk_score(24.0, 2)
