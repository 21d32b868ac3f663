"""DeepHit's two terms against golden numbers, pycox and the double loop."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from survkit.discrete import cumulative_incidence, log_pmf
from survkit.errors import ConfigError, DataError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.deephit_likelihood import DeepHitLikelihood, deephit_likelihood
from survkit.losses.deephit_ranking import DeepHitRanking, RankingSettings, deephit_ranking
from survkit.specs import OutcomeSpec
from survkit.time_grid import discretise

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


def double_loop(
    incidence: Tensor, interval: Tensor, event: Tensor, time: Tensor, chosen: RankingSettings
) -> Tensor:
    """Every pair written out."""
    total, pairs = incidence.new_zeros(()), 0
    last = incidence.shape[2] - 1
    for i, j in product(range(len(event)), repeat=2):
        later = time[i] < time[j]
        if chosen.tie_rule == "censored-later":
            later = later | ((time[i] == time[j]) & (event[j] == 0))
        if event[i] == 0 or not later:
            continue
        pairs += 1
        cause, t = int(event[i]) - 1, int(interval[i])
        at = t if chosen.rank_time == "ti" else min(int(interval[j]), last)
        total = total + torch.exp(
            -(incidence[i, cause, t] - incidence[j, cause, at]) / chosen.sigma
        )
    count = len(event)
    divisor = {"pairs": max(pairs, 1), "batch-squared": count**2, "paper": count}
    return total / divisor[chosen.normalisation]


def draw(
    count: int, causes: int, intervals: int, seed: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Random logits, intervals, event codes and durations inside their intervals."""
    generator = torch.Generator().manual_seed(seed)
    size = (count, causes * intervals + 1)
    logits = torch.randn(*size, generator=generator, dtype=torch.float64)
    event = torch.randint(0, causes + 1, (count,), generator=generator)
    interval = torch.randint(0, intervals, (count,), generator=generator)
    beyond = (event == 0) & (torch.rand(count, generator=generator) < 0.3)
    interval[beyond] = intervals
    duration = interval + torch.randint(1, 4, (count,), generator=generator) / 3
    return logits, interval, event, duration.double()


def incidence_of(logits: Tensor, causes: int, intervals: int) -> Tensor:
    """Cumulative incidence of a softmax over all outcomes."""
    return cumulative_incidence(log_pmf(logits, "pmf", causes, intervals)[0])


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


OUTCOME = OutcomeSpec(causes=("a", "b"), horizon=4.0, time_grid=(1.0, 2.0, 3.0, 4.0))


def test_components_discretise_and_read_any_discrete_head() -> None:
    """The components give what the functions give on the outcome's grid."""
    logits, _, event, duration = draw(20, 2, 4, 1)
    target = SurvivalTarget(duration, event)
    interval, code = discretise(target, OUTCOME)
    hazards = torch.randn(20, 4, 3, generator=torch.Generator().manual_seed(0)).double()
    for name, parameters in (("pmf", logits), ("cause-interval-hazard", hazards)):
        output = ModelOutput(parameters, name, parameters)
        log_event, log_none = log_pmf(parameters, name, 2, 4)

        likelihood = DeepHitLikelihood(OUTCOME)(output, target)
        ranking = DeepHitRanking(OUTCOME, sigma=0.2)(output, target)

        torch.testing.assert_close(
            likelihood, deephit_likelihood(log_event, log_none, interval, code)
        )
        expected = deephit_ranking(
            cumulative_incidence(log_event), interval, code, settings=RankingSettings(sigma=0.2)
        )
        torch.testing.assert_close(ranking, expected)
    assert "pmf" in DeepHitLikelihood(OUTCOME).accepts
    assert "interval-hazard" in DeepHitRanking(OUTCOME).accepts


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"sigma": 0.012}, "sigma must be at least 0.0125, not 0.012"),
        ({"sigma": float("nan")}, "sigma must be at least"),
        ({"normalisation": "sum"}, "normalisation must be one of 'pairs'"),
        ({"tie_rule": "any"}, "tie_rule must be one of 'strict'"),
        ({"rank_time": "tj"}, "rank_time must be one of 'ti'"),
        ({"compare": "days"}, "compare must be one of 'interval'"),
        ({"rank_time": "own", "compare": "duration"}, "only defined on intervals"),
    ],
)
def test_wrong_settings_are_refused(setting: dict[str, Any], message: str) -> None:
    """Each refusal names the setting."""
    with pytest.raises(ConfigError, match=message):
        DeepHitRanking(OUTCOME, **setting)


def test_what_is_not_honoured_is_refused_by_name() -> None:
    """Ranking refuses weights, entry and strata; the likelihood strata."""
    logits, _, event, duration = draw(5, 2, 4, 1)
    output = ModelOutput(logits, "pmf", logits)
    column = torch.zeros(5, dtype=torch.float64)
    for name in ("weight", "entry", "strata"):
        target = SurvivalTarget(duration, event, **{name: column})
        with pytest.raises(DataError, match=f"'deephit-ranking' does not honour {name}"):
            DeepHitRanking(OUTCOME)(output, target)
    with pytest.raises(DataError, match="'deephit-likelihood' does not honour strata"):
        DeepHitLikelihood(OUTCOME)(output, SurvivalTarget(duration, event, strata=event))
    with pytest.raises(ConfigError, match="not 'never'"):
        DeepHitLikelihood(OUTCOME, censored="never")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="pass duration="):
        deephit_ranking(
            incidence_of(logits, 2, 4), event, event, settings=RankingSettings(compare="duration")
        )


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
