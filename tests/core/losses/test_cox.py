"""The Cox loss against R, lifelines, brute force and its own invariances."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.losses.cox_cases import EXTRAS, TIES, brute_force, draw, float64, value_and_gradient
from torch import Tensor

from survkit.losses.cox import cox_loss, ordered_cox_loss
from survkit.losses.risk_sets import risk_set_order

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/losses/cox.json").read_text())


def test_golden_numbers() -> None:
    """Five subjects with tied events, worked out by hand for both ways with ties."""
    log_hazard = float64([0.5, -0.2, 1.0, 0.0, 0.3])
    duration, observed = float64([2, 3, 2, 5, 4]), torch.tensor([True, True, True, False, True])

    breslow = cox_loss(log_hazard, duration, observed)
    efron = cox_loss(log_hazard, duration, observed, ties="efron")

    assert float(breslow) * 4 == pytest.approx(4.446916766278987, rel=1e-15)
    assert float(efron) * 4 == pytest.approx(4.104766629305652, rel=1e-15)


@pytest.mark.parametrize("case", GOLDEN["log_likelihood"])
def test_r_survival(case: str) -> None:
    """R's survival gives the same log partial likelihood at a coefficient of 1."""
    extra, ties_name = case.rsplit("-", 1)
    ties: Literal["breslow", "efron"] = "efron" if ties_name == "efron" else "breslow"
    observed = torch.tensor(GOLDEN["event"]) > 0
    more = {
        name: torch.tensor(GOLDEN[name]) if name == "strata" else float64(GOLDEN[name])
        for name in extra.split("+")
        if name != "plain"
    }
    events = more["weight"][observed].sum() if "weight" in more else observed.sum()

    loss = cox_loss(
        float64(GOLDEN["log_hazard"]), float64(GOLDEN["duration"]), observed, ties=ties, **more
    )

    assert -float(loss * events) == pytest.approx(GOLDEN["log_likelihood"][case], rel=1e-13)


def test_lifelines_efron() -> None:
    """A fit by lifelines (Efron) has the log-likelihood that we compute at its coefficients."""
    lifelines = pytest.importorskip("lifelines")
    log_hazard, duration, observed, _ = draw(80, 3, "", 1.0)
    table = pd.DataFrame({"x": log_hazard.numpy(), "t": duration.numpy(), "e": observed.numpy()})
    fit = lifelines.CoxPHFitter().fit(table, "t", "e")

    loss = cox_loss(log_hazard * fit.params_["x"], duration, observed, ties="efron")

    assert -float(loss * observed.sum()) == pytest.approx(fit.log_likelihood_, rel=1e-9)


@pytest.mark.parametrize("scale", [1.0, 20.0, 200.0, 2000.0])
@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("ties", TIES)
def test_brute_force(ties: Literal["breslow", "efron"], extra: str, scale: float) -> None:
    """Value to 1e-12 relative and gradient equal brute force, up to log-hazard SDs of 2,000."""
    for count, seed in ((1, 1), (2, 2), (7, 3), (64, 4), (100, 5)):
        log_hazard, duration, observed, more = draw(count, seed, extra, scale)
        leaf = log_hazard.clone().requires_grad_()
        expected = brute_force(leaf, duration, observed, ties, **more)
        (expected_gradient,) = torch.autograd.grad(expected, leaf)

        loss, gradient = value_and_gradient(log_hazard, duration, observed, ties=ties, **more)

        torch.testing.assert_close(loss, expected.detach(), rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-9, atol=1e-12)


def test_delayed_entry_against_fifty_digits() -> None:
    """At a log-hazard SD of 200 the value agrees with 50-digit arithmetic to 1e-12 relative."""
    mpmath = pytest.importorskip("mpmath")
    log_hazard, duration, observed, more = draw(60, 9, "entry", 200.0)
    entry = more["entry"]
    with mpmath.workdps(50):
        total = mpmath.mpf(0)
        for i in observed.nonzero().flatten().tolist():
            at_risk = (duration >= duration[i]) & (entry < duration[i])
            risk = mpmath.fsum(mpmath.exp(mpmath.mpf(x)) for x in log_hazard[at_risk].tolist())
            total += mpmath.log(risk) - mpmath.mpf(float(log_hazard[i]))
        expected = float(total / int(observed.sum()))

    loss = cox_loss(log_hazard, duration, observed, entry=entry)

    assert float(loss) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_gradcheck(ties: Literal["breslow", "efron"], extra: str, scale: float) -> None:
    """The hand-written gradient is that of the value, on the plain and the logarithmic path."""
    log_hazard, duration, observed, more = draw(9, 11, extra, scale)

    assert torch.autograd.gradcheck(
        lambda x: cox_loss(x, duration, observed, ties=ties, **more),
        log_hazard.requires_grad_(),
        eps=1e-6 * scale,
        atol=1e-5,
    )


@given(st.integers(2, 40), st.integers(0, 10_000), st.sampled_from(EXTRAS), st.sampled_from(TIES))
@settings(max_examples=60, deadline=None)
def test_row_order_and_shift_do_not_matter(
    count: int, seed: int, extra: str, ties: Literal["breslow", "efron"]
) -> None:
    """Permuting subjects or adding a constant leaves the loss as it is."""
    log_hazard, duration, observed, more = draw(count, seed, extra, 2.0)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    if "strata" in more:
        shift: Tensor | float = 100.0 * more["strata"]
    else:
        shift = -37.0

    loss = cox_loss(log_hazard, duration, observed, ties=ties, **more)
    permuted = cox_loss(
        log_hazard[order],
        duration[order],
        observed[order],
        ties=ties,
        **{name: values[order] for name, values in more.items()},
    )
    shifted = cox_loss(log_hazard + shift, duration, observed, ties=ties, **more)

    torch.testing.assert_close(permuted, loss, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(shifted, loss, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("shift", [-1000.0, 1000.0])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_shift_by_a_thousand(
    ties: Literal["breslow", "efron"], extra: str, shift: float, dtype: torch.dtype
) -> None:
    """±1,000 change neither value nor gradient."""
    log_hazard, duration, observed, more = draw(50, 5, extra, 1.0)
    log_hazard = (log_hazard * 64).round() / 64  # so that float32 holds the shifted values exactly

    loss, gradient = value_and_gradient(log_hazard.to(dtype), duration, observed, ties=ties, **more)
    moved, moved_gradient = value_and_gradient(
        (log_hazard + shift).to(dtype), duration, observed, ties=ties, **more
    )

    torch.testing.assert_close(moved, loss, rtol=1e-6 if dtype == torch.float32 else 1e-11, atol=0)
    torch.testing.assert_close(moved_gradient, gradient, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("extra", ["", "entry", "strata"])
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("height", [50.0, 700.0, 2000.0])
def test_one_early_subject_far_above_the_rest(
    ties: Literal["breslow", "efron"], extra: str, height: float
) -> None:
    """A subject that leaves first does not swamp the risk sets after it."""
    log_hazard, duration, observed, more = draw(50, 6, extra, 1.0)
    duration[0], observed[0] = 0.5, True
    if "entry" in more:
        more["entry"][0] = 0.0
    log_hazard[0] = height

    loss, gradient = value_and_gradient(log_hazard, duration, observed, ties=ties, **more)

    expected = brute_force(log_hazard, duration, observed, ties, **more)
    torch.testing.assert_close(loss, expected, rtol=1e-13, atol=0)
    assert torch.isfinite(gradient).all()
    assert float(loss) < 20


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("ties", TIES)
def test_without_events_the_loss_is_zero_with_a_graph(
    ties: Literal["breslow", "efron"], extra: str
) -> None:
    """No event: 0, and gradients of 0."""
    log_hazard, duration, observed, more = draw(12, 1, extra, 1.0)

    loss, gradient = value_and_gradient(
        log_hazard, duration, torch.zeros_like(observed), ties=ties, **more
    )

    assert float(loss) == 0
    assert torch.equal(gradient, torch.zeros_like(gradient))


def test_raising_the_first_to_fail_lowers_the_loss() -> None:
    """The sign: a higher log hazard of who fails first is a better model."""
    log_hazard, duration, observed = (
        float64([0.0, 0.0, 0.0]),
        float64([1, 2, 3]),
        float64([1, 1, 0]) > 0,
    )

    _, gradient = value_and_gradient(log_hazard, duration, observed)

    assert gradient[0] < 0
    assert gradient[2] > 0


def test_censored_before_the_first_event_changes_nothing() -> None:
    """Somebody who was never at risk at an event has gradient 0."""
    log_hazard, duration, observed, _ = draw(20, 2, "", 1.0)
    more_log_hazard = torch.cat([log_hazard, float64([5.0])])

    loss, gradient = value_and_gradient(
        more_log_hazard,
        torch.cat([duration, float64([0.5])]),
        torch.cat([observed, torch.tensor([False])]),
    )

    torch.testing.assert_close(loss, cox_loss(log_hazard, duration, observed))
    assert gradient[-1] == 0


def test_equal_strata_are_the_sum_of_separate_losses() -> None:
    """Stratified log-likelihoods add."""
    log_hazard, duration, observed, more = draw(60, 8, "strata", 1.0)
    strata = more["strata"]

    whole = cox_loss(log_hazard, duration, observed, strata=strata) * observed.sum()

    parts = [
        cox_loss(log_hazard[strata == g], duration[strata == g], observed[strata == g])
        * observed[strata == g].sum()
        for g in range(3)
    ]
    torch.testing.assert_close(whole, torch.stack(parts).sum())


@pytest.mark.parametrize(
    ("given_dtype", "result"),
    [
        (torch.float64, torch.float64),
        (torch.float32, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
    ],
)
def test_precision(given_dtype: torch.dtype, result: torch.dtype) -> None:
    """Low precision comes back as float32; gradients keep the dtype of the input."""
    log_hazard, duration, observed, _ = draw(30, 1, "", 1.0)
    log_hazard = log_hazard.to(given_dtype)

    loss, gradient = value_and_gradient(log_hazard, duration, observed)

    assert loss.dtype == result
    assert gradient.dtype == given_dtype
    torch.testing.assert_close(loss, cox_loss(log_hazard.double(), duration, observed).to(result))


def test_an_order_can_be_reused() -> None:
    """The kept structure gives the loss of every new set of log hazards."""
    log_hazard, duration, observed, more = draw(40, 1, "entry+strata", 1.0)
    order = risk_set_order(duration, **more)

    for factor in (1.0, -2.0):
        kept = ordered_cox_loss(log_hazard * factor, observed, order, ties="efron")
        fresh = cox_loss(log_hazard * factor, duration, observed, ties="efron", **more)
        assert torch.equal(kept, fresh)
