"""The discrete-time heads and the Weibull head: closed forms, and where a fresh head starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import weibull_min
from torch import nn

from survkit.errors import CompositionError, ConfigError, DataError
from survkit.heads.cause_hazard import CauseHazardHead
from survkit.heads.deephit import DeepHitHead
from survkit.heads.discrete_hazard import DiscreteHazardHead
from survkit.heads.weibull import WeibullHead
from survkit.heads.weibull_prediction import WeibullPrediction
from survkit.specs import OutcomeSpec

GRID = (3.0, 6.0, 12.0, 24.0)
ONE = OutcomeSpec(causes=("death",), horizon=24.0, time_grid=GRID)
TWO = OutcomeSpec(causes=("cancer", "other"), horizon=24.0, time_grid=GRID)


def test_deephit_curve_is_the_running_sum_of_its_mass() -> None:
    """Softmax, cut by cause, summed over intervals; linear within an interval."""
    head = DeepHitHead(2, TWO)
    mass = torch.tensor([[0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.1, 0.2, 0.2]]).double()

    incidence = head.predict(mass.log()).cumulative_incidence([0.0, 3.0, 9.0, 24.0])

    expected = torch.tensor([[[0.0, 0.1, 0.25, 0.4], [0.0, 0.05, 0.15, 0.4]]]).double()
    torch.testing.assert_close(incidence, expected)


def test_hazard_curve_is_the_product_of_what_survives() -> None:
    """Golden rows of the interval-hazard model: cumulative incidence .3, .44, .496, .5464."""
    hazard = torch.tensor([[0.3, 0.2, 0.1, 0.1]]).double()

    incidence = DiscreteHazardHead(2, ONE).predict(hazard.logit()).cumulative_incidence(GRID)

    expected = torch.tensor([[[0.3, 0.44, 0.496, 0.5464]]]).double()
    torch.testing.assert_close(incidence, expected)


def test_cause_hazard_with_one_cause_is_the_discrete_hazard() -> None:
    """A softmax over "no event" at 0 and one cause is a sigmoid."""
    torch.manual_seed(0)
    head = CauseHazardHead(3, ONE, shared=(), cause=()).double()
    single = DiscreteHazardHead(3, ONE).double()
    single.output.load_state_dict(head.cause[0][-1].state_dict())
    embedding = torch.randn(5, 3).double()

    expected = single.predict(single(embedding)).incidence

    torch.testing.assert_close(head.predict(head(embedding)).incidence, expected)


def test_deephit_with_two_causes_is_two_single_chains_in_one_softmax() -> None:
    """Each cause has its own network: its logits are those of a head that has this cause alone."""
    torch.manual_seed(0)
    two = DeepHitHead(3, TWO, shared=(4,), cause=(5,)).double()
    embedding = torch.randn(6, 3).double()
    logits = two(embedding)
    for cause in range(2):
        one = DeepHitHead(3, ONE, shared=(4,), cause=(5,)).double()
        one.shared.load_state_dict(two.shared.state_dict())
        one.cause[0].load_state_dict(two.cause[cause].state_dict())
        one.event[0].load_state_dict(two.event[cause].state_dict())

        part = logits[:, cause * 4 : (cause + 1) * 4]
        torch.testing.assert_close(one(embedding)[:, :4], part)


def test_deephit_causes_do_not_share_their_networks() -> None:
    """Changing one cause's network leaves the other's logits alone."""
    torch.manual_seed(0)
    head = DeepHitHead(3, TWO, shared=(4,), cause=(5,)).double()
    embedding = torch.randn(6, 3).double()
    before = head(embedding)

    with torch.no_grad():
        for parameter in head.cause[1].parameters():
            parameter.add_(1.0)
    after = head(embedding)

    assert torch.equal(after[:, :4], before[:, :4])
    assert not torch.allclose(after[:, 4:8], before[:, 4:8])


def test_deephit_has_the_published_layers() -> None:
    """Shared, then causes on [input, shared]: widths and number of weights."""
    head = DeepHitHead(256, ONE, shared=(100,), cause=(100, 100))
    shapes = [tuple(layer.weight.shape) for layer in head.modules() if isinstance(layer, nn.Linear)]

    assert shapes == [(100, 256), (100, 356), (100, 100), (4, 100), (1, 100)]


@pytest.mark.parametrize("outcome", [ONE, TWO])
@pytest.mark.parametrize("kind", [DiscreteHazardHead, CauseHazardHead, DeepHitHead, WeibullHead])
def test_fresh_heads_let_about_half_reach_the_horizon(kind: Any, outcome: OutcomeSpec) -> None:
    """At an embedding of zeros the incidence at the horizon is one half, shared by the causes."""
    if kind in (DiscreteHazardHead, WeibullHead) and outcome is TWO:
        return
    head = kind(3, outcome).double()
    if not isinstance(head, DeepHitHead | WeibullHead | DiscreteHazardHead):
        for parameter in head.shared.parameters():
            nn.init.zeros_(parameter)
        for network in head.cause:
            nn.init.zeros_(network[0].bias)

    incidence = head.predict(head(torch.zeros(1, 3).double())).cumulative_incidence([24.0])

    expected = torch.full((1, len(outcome.causes), 1), 0.5 / len(outcome.causes)).double()
    torch.testing.assert_close(incidence, expected)


@pytest.mark.parametrize("kind", [DiscreteHazardHead, WeibullHead])
def test_one_cause_heads_refuse_competing_causes(kind: Any) -> None:
    """The sentence names the causes and what would fit."""
    with pytest.raises(CompositionError, match=r"cancer, other.*cause-hazard"):
        kind(3, TWO)


def test_weibull_agrees_with_scipy() -> None:
    """Survival, cumulative hazard and hazard of three distributions."""
    scale, shape = np.array([5.0, 20.0, 11.0]), np.array([0.7, 1.0, 2.5])
    times = np.array([0.5, 3.0, 24.0])
    prediction = WeibullPrediction(
        log_scale=torch.tensor(scale).log(), log_shape=torch.tensor(shape).log(), last_time=24.0
    )
    reference = weibull_min(shape[:, None], scale=scale[:, None])

    survival = reference.sf(times)
    np.testing.assert_allclose(prediction.survival(times.tolist()), survival, rtol=1e-12)
    np.testing.assert_allclose(
        prediction.cumulative_hazard(times.tolist()), -np.log(survival), rtol=1e-9
    )
    np.testing.assert_allclose(
        prediction.hazard(times.tolist()), reference.pdf(times) / survival, rtol=1e-9
    )
    np.testing.assert_allclose(
        prediction.cumulative_incidence(times.tolist())[:, 0], reference.cdf(times), rtol=1e-12
    )


def test_weibull_risk_does_not_saturate() -> None:
    """Two subjects whose incidence rounds to one are still ordered."""
    prediction = WeibullPrediction(
        log_scale=torch.tensor([-50.0, -60.0]).double(),
        log_shape=torch.zeros(2).double(),
        last_time=24.0,
    )

    assert prediction.cumulative_incidence([24.0])[:, 0, 0].tolist() == [1.0, 1.0]
    assert prediction.risk_score(24.0)[1] > prediction.risk_score(24.0)[0]
    with pytest.raises(DataError, match="cause 2 at 24"):
        prediction.risk_score(24.0, cause=2)


def test_wrong_settings_are_refused() -> None:
    """Widths, dropout and activation outside their range."""
    with pytest.raises(ConfigError, match=r"widths must be at least 1, not \[3, 0\]"):
        DiscreteHazardHead(3, ONE, hidden=(0,))
    with pytest.raises(ConfigError, match=r"dropout must lie in \[0, 1\), not 1"):
        DeepHitHead(3, ONE, dropout=1.0)
    with pytest.raises(ConfigError, match="activation must be one of relu"):
        CauseHazardHead(3, ONE, activation="swish")
