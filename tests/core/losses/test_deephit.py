"""DeepHit's two terms against golden numbers, pycox and the double loop."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.losses.deephit_cases import double_loop, draw, incidence_of

from survkit.discrete import log_pmf
from survkit.losses.deephit_likelihood import deephit_likelihood
from survkit.losses.deephit_ranking import RankingSettings, deephit_ranking

PROBABILITY = torch.tensor(
    [
        [0.40, 0.25, 0.15, 0.10, 0.10],
        [0.10, 0.30, 0.30, 0.20, 0.10],
        [0.05, 0.10, 0.15, 0.30, 0.40],
        [0.20, 0.20, 0.20, 0.20, 0.20],
    ],
    dtype=torch.float64,
)


INTERVAL, EVENT = torch.tensor([0, 2, 3, 1]), torch.tensor([1, 1, 0, 1])


HAZARD_INCIDENCE = torch.tensor(
    [[0.3, 0.44, 0.496, 0.5464], [0.1, 0.28, 0.568, 0.6544], [0.05, 0.0975, 0.18775, 0.268975]],
    dtype=torch.float64,
).unsqueeze(1)


def test_golden_likelihood() -> None:
    """The mean of four subjects, the last interval being "after"."""
    log_event = PROBABILITY.log().unsqueeze(1)
    beyond = torch.full((4,), -torch.inf, dtype=torch.float64)

    whole = deephit_likelihood(log_event, beyond, INTERVAL, EVENT)
    with_tail = deephit_likelihood(log_event[:, :, :4], log_event[:, 0, 4], INTERVAL, EVENT)

    assert float(whole) == pytest.approx(1.1614980451270867, rel=1e-14)
    assert float(whole) * 4 == pytest.approx(4.645992180508347, rel=1e-14)
    assert float(with_tail) == pytest.approx(1.1614980451270867, rel=1e-14)


def test_golden_ranking() -> None:
    """Six pairs; their sum, and the sum over i of the mean over j."""
    incidence = PROBABILITY.cumsum(1).unsqueeze(1)

    pairs = deephit_ranking(incidence, INTERVAL, EVENT)
    paper = deephit_ranking(
        incidence, INTERVAL, EVENT, settings=RankingSettings(normalisation="paper")
    )

    assert float(pairs) * 6 == pytest.approx(1.315720372539428, rel=1e-14)
    assert float(paper) == pytest.approx(0.328930093134857, rel=1e-14)


def test_golden_ranking_of_hazards() -> None:
    """RobSurv's three subjects, three comparable pairs."""
    loss = deephit_ranking(HAZARD_INCIDENCE, torch.tensor([0, 2, 3]), torch.tensor([1, 1, 0]))

    assert float(loss) * 3 == pytest.approx(0.23973519663747794, rel=1e-13)


@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_pycox_single(ties: bool, seed: int) -> None:
    """The likelihood and ranking of pycox for one cause, with and without tied intervals."""
    loss_module = pytest.importorskip("pycox.models.loss")
    pairs = pytest.importorskip("pycox.models.data").pair_rank_mat
    count, intervals = (30, 6) if ties else (24, 24)
    logits, interval, event, _ = draw(count, 1, intervals, seed)
    interval = interval.clamp(max=intervals - 1)
    if not ties:
        interval = torch.randperm(24, generator=torch.Generator().manual_seed(seed))
    # pycox pads a logit of 0 for "no event", and adds 1e-7 inside its logarithms unless told.
    phi = (logits[:, :-1] - logits[:, -1:]).clone()
    likelihood = loss_module.nll_pmf(phi, interval, event.double(), epsilon=0.0)
    matrix = torch.tensor(pairs(interval.numpy(), event.numpy(), "float64"))
    # Its ones are float32 whatever comes in; the double default makes it double throughout.
    torch.set_default_dtype(torch.float64)
    try:
        ranking = loss_module.rank_loss_deephit_single(phi, interval, event, matrix, 0.1)
    finally:
        torch.set_default_dtype(torch.float32)
    settings_of_pycox = RankingSettings(normalisation="batch-squared", tie_rule="censored-later")

    ours = deephit_likelihood(*log_pmf(logits, "pmf", 1, intervals), interval, event)
    incidence = incidence_of(logits, 1, intervals)
    our_ranking = deephit_ranking(incidence, interval, event, settings=settings_of_pycox)

    torch.testing.assert_close(ours, likelihood, rtol=1e-10, atol=0)
    torch.testing.assert_close(our_ranking, ranking, rtol=1e-10, atol=0)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("intervals", [4, 40])
def test_pycox_competing(seed: int, intervals: int) -> None:
    """The likelihood and ranking of pycox for three causes."""
    loss_module = pytest.importorskip("pycox.models.loss")
    pairs = pytest.importorskip("pycox.models.data").pair_rank_mat
    logits, interval, event, _ = draw(30, 3, intervals, seed)
    interval = interval.clamp(max=intervals - 1)
    phi = (logits[:, :-1] - logits[:, -1:]).reshape(30, 3, intervals)
    matrix = torch.tensor(pairs(interval.numpy(), event.numpy(), "float64"))
    # Both its epsilon and its float32 indicator and ones matrices are taken out of the comparison.
    torch.set_default_dtype(torch.float64)
    try:
        likelihood = loss_module.nll_pmf_cr(phi, interval, event, epsilon=0.0, reduction="none")
        ranking = loss_module.rank_loss_deephit_cr(phi, interval, event, matrix, 0.1)
    finally:
        torch.set_default_dtype(torch.float32)
    settings_of_pycox = RankingSettings(normalisation="batch-squared", tie_rule="censored-later")
    incidence = incidence_of(logits, 3, intervals)

    ours = deephit_likelihood(*log_pmf(logits, "pmf", 3, intervals), interval, event)
    our_ranking = deephit_ranking(incidence, interval, event, settings=settings_of_pycox)

    torch.testing.assert_close(ours, likelihood.mean(), rtol=1e-6, atol=0)
    torch.testing.assert_close(our_ranking, ranking, rtol=1e-6, atol=0)


@pytest.mark.parametrize("normalisation", ["pairs", "batch-squared", "paper"])
@pytest.mark.parametrize("tie_rule", ["strict", "censored-later"])
@pytest.mark.parametrize(
    ("rank_time", "compare"), [("ti", "interval"), ("own", "interval"), ("ti", "duration")]
)
@pytest.mark.parametrize("sigma", [0.1, 0.0125])
def test_ranking_is_the_double_loop(
    normalisation: Any, tie_rule: Any, rank_time: Any, compare: Any, sigma: float
) -> None:
    """Value and gradient of every combination of settings, for one and three causes."""
    chosen = RankingSettings(
        sigma=sigma,
        normalisation=normalisation,
        tie_rule=tie_rule,
        rank_time=rank_time,
        compare=compare,
    )
    for causes, seed in ((1, 0), (3, 1)):
        logits, interval, event, duration = draw(25, causes, 5, seed)
        logits.requires_grad_()
        time = interval if compare == "interval" else duration
        expected = double_loop(incidence_of(logits, causes, 5), interval, event, time, chosen)
        (expected_gradient,) = torch.autograd.grad(expected, logits)

        loss = deephit_ranking(
            incidence_of(logits, causes, 5), interval, event, duration=duration, settings=chosen
        )
        (gradient,) = torch.autograd.grad(loss, logits)

        torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)
        scale = float(expected_gradient.abs().max())
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-9, atol=1e-12 * scale)


@given(st.integers(1, 30), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_row_order_does_not_matter(count: int, seed: int) -> None:
    """Permuting subjects leaves both terms as they are."""
    logits, interval, event, _ = draw(count, 2, 4, seed)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))

    likelihood = deephit_likelihood(*log_pmf(logits, "pmf", 2, 4), interval, event)
    ranking = deephit_ranking(incidence_of(logits, 2, 4), interval, event)
    logits, interval, event = logits[order], interval[order], event[order]
    likelihood_again = deephit_likelihood(*log_pmf(logits, "pmf", 2, 4), interval, event)
    ranking_again = deephit_ranking(incidence_of(logits, 2, 4), interval, event)

    torch.testing.assert_close(likelihood_again, likelihood)
    torch.testing.assert_close(ranking_again, ranking)


def test_gradcheck() -> None:
    """The hand-written gradient of the ranking is that of its value."""
    logits, interval, event, _ = draw(10, 2, 4, 5)

    assert torch.autograd.gradcheck(
        lambda x: deephit_ranking(incidence_of(x, 2, 4), interval, event), logits.requires_grad_()
    )
    assert torch.autograd.gradcheck(
        lambda x: deephit_likelihood(*log_pmf(x, "pmf", 2, 4), interval, event), logits
    )


@pytest.mark.parametrize("compare", ["interval", "duration"])
@pytest.mark.parametrize("events", [0, 1])
def test_without_pairs_the_ranking_is_zero_with_a_graph(events: int, compare: Any) -> None:
    """Nobody to compare: 0, and gradients of 0; also for one subject."""
    logits, _, _, _ = draw(1, 1, 4, 0)
    logits.requires_grad_()

    loss = deephit_ranking(
        incidence_of(logits, 1, 4),
        torch.tensor([2]),
        torch.tensor([events]),
        duration=torch.tensor([2.5]),
        settings=RankingSettings(compare=compare),
    )

    assert loss.item() == 0
    assert torch.equal(torch.autograd.grad(loss, logits)[0], torch.zeros_like(logits))


@pytest.mark.parametrize("sigma", [0.0125, 0.015, 0.02, 0.05])
def test_small_sigma_is_finite_in_float32(sigma: float) -> None:
    """The worst pairs, F_i = 0 against F_j = 1, many of them."""
    incidence = torch.zeros(4000, 1, 2)
    incidence[2000:] = 1.0
    interval, event = torch.tensor([0, 1]).repeat_interleave(2000), torch.tensor([1, 0])
    event = event.repeat_interleave(2000)
    incidence.requires_grad_()

    loss = deephit_ranking(incidence, interval, event, settings=RankingSettings(sigma=sigma))
    (gradient,) = torch.autograd.grad(loss, incidence)

    assert loss.log().item() == pytest.approx(1 / sigma, rel=1e-5)
    assert torch.isfinite(gradient).all()


def test_censoring_modes() -> None:
    """Inclusive drops the mass of the own interval, exclusive keeps it; T is event-free."""
    log_event = PROBABILITY[:, :4].log().unsqueeze(1)
    log_none = PROBABILITY[:, 4].log()
    interval, event = torch.tensor([1, 4, 4, 0]), torch.tensor([0, 0, 0, 0])

    inclusive = deephit_likelihood(log_event, log_none, interval, event)
    exclusive = deephit_likelihood(log_event, log_none, interval, event, censored="exclusive")

    tail = torch.tensor([0.35, 0.1, 0.4, 0.8], dtype=torch.float64)
    torch.testing.assert_close(inclusive, -tail.log().mean())
    tail = torch.tensor([0.6, 0.1, 0.4, 1.0], dtype=torch.float64)
    torch.testing.assert_close(exclusive, -tail.log().mean())


def test_delayed_entry_conditions_on_surviving_to_it() -> None:
    """Entry in interval 2 divides by the probability of intervals 2 and later."""
    log_event = PROBABILITY[:, :4].log().unsqueeze(1)
    log_none = PROBABILITY[:, 4].log()
    interval, event = torch.tensor([2, 2, 4, 1]), torch.tensor([1, 0, 0, 1])
    entry = torch.tensor([1, 2, 4, 0])

    loss = deephit_likelihood(log_event, log_none, interval, event, entry=entry)

    likelihood = torch.tensor([0.15 / 0.60, 0.3 / 0.6, 1.0, 0.2], dtype=torch.float64)
    torch.testing.assert_close(loss, -likelihood.log().mean())


def test_weights_repeat_subjects() -> None:
    """A weight of two counts twice."""
    logits, interval, event, _ = draw(8, 1, 4, 3)
    twice = torch.tensor([0, 0, *range(1, 8)])
    weight = torch.ones(8, dtype=torch.float64)
    weight[0] = 2

    weighted = deephit_likelihood(*log_pmf(logits, "pmf", 1, 4), interval, event, weight=weight)

    repeated = deephit_likelihood(
        *log_pmf(logits[twice], "pmf", 1, 4), interval[twice], event[twice]
    )
    torch.testing.assert_close(weighted, repeated)


def test_ranking_of_a_transposed_incidence_equals_that_of_a_contiguous_one() -> None:
    """Hazard heads give (batch, grid, cause) in memory; value and gradient are the same."""
    generator = torch.Generator().manual_seed(0)
    steps = torch.rand(50, 5, 3, generator=generator, dtype=torch.float64) / 20
    transposed = steps.cumsum(1).transpose(1, 2).requires_grad_()
    contiguous = transposed.detach().contiguous().requires_grad_()
    interval = torch.randint(0, 5, (50,), generator=generator)
    event = torch.randint(0, 4, (50,), generator=generator)

    losses = [deephit_ranking(values, interval, event) for values in (transposed, contiguous)]

    assert losses[0] == losses[1] > 0
    gradients = [
        torch.autograd.grad(loss, values)[0]
        for loss, values in zip(losses, (transposed, contiguous), strict=True)
    ]
    assert torch.equal(*gradients)


def test_ranking_of_nobody_is_zero() -> None:
    """A rank without subjects adds nothing, and its gradient is empty."""
    incidence = torch.zeros(0, 3, 5, requires_grad=True)
    nobody = torch.zeros(0, dtype=torch.int64)

    loss = deephit_ranking(incidence, nobody, nobody)

    assert loss == 0
    assert torch.autograd.grad(loss, incidence)[0].shape == (0, 3, 5)
