"""The piecewise likelihood, and pycox's four likelihoods beside survkit's own."""

from __future__ import annotations

import sys
from dataclasses import replace
from math import log

import pytest
import torch

from survkit.errors import CompositionError, DataError, MissingExtraError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.deephit_likelihood import DeepHitLikelihood
from survkit.losses.hazard_likelihood import HazardLikelihood
from survkit.losses.piecewise_likelihood import PiecewiseLikelihood, log_softplus
from survkit.losses.pycox_losses import (
    PycoxLogisticHazard,
    PycoxMTLR,
    PycoxPCHazard,
    PycoxPMF,
)
from survkit.protocols import Loss
from survkit.specs import OutcomeSpec
from survkit.testing.batches import random_output, random_target

GRID = (3.0, 6.0, 12.0, 24.0)
ONE = OutcomeSpec(causes=("death",), horizon=24.0, time_grid=GRID)
TWO = OutcomeSpec(causes=("cancer", "other"), horizon=24.0, time_grid=GRID)
PYCOX = (PycoxLogisticHazard, PycoxPMF, PycoxMTLR, PycoxPCHazard)


def target_beyond_the_horizon() -> SurvivalTarget:
    """Events and censorings inside, on and after the horizon, some on edges."""
    duration = [1.0, 3.0, 5.5, 6.0, 12.0, 20.0, 24.0, 24.0, 30.0, 30.0, 2.0, 23.9]
    event = [1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1]
    return SurvivalTarget(torch.tensor(duration).double(), torch.tensor(event))


def value_and_gradient(
    loss: Loss, output: ModelOutput, target: SurvivalTarget
) -> tuple[torch.Tensor, torch.Tensor]:
    leaf = output.parameters.clone().requires_grad_()
    value = loss(replace(output, parameters=leaf), target)
    return value.detach(), torch.autograd.grad(value, leaf)[0]


@pytest.mark.parametrize(
    ("theirs", "ours", "tolerance"),
    [
        (PycoxLogisticHazard(ONE), HazardLikelihood(ONE, censored="inclusive"), 1e-12),
        (PycoxPMF(ONE), DeepHitLikelihood(ONE), 2e-5),
        (PycoxMTLR(ONE), DeepHitLikelihood(ONE), 2e-5),
        (PycoxPCHazard(ONE), PiecewiseLikelihood(ONE), 1e-12),
    ],
)
def test_pycox_gives_the_value_and_gradient_of_our_own(
    theirs: Loss, ours: Loss, tolerance: float
) -> None:
    """The same mean over subjects, beyond the horizon too; pycox adds 1e-7 inside logarithms."""
    target = target_beyond_the_horizon()
    for seed in range(3):
        output = random_output(theirs.accepts[0], ONE, 12, seed=seed, dtype=torch.float64)

        value, gradient = value_and_gradient(theirs, output, target)

        expected, slope = value_and_gradient(ours, output, target)
        torch.testing.assert_close(value, expected, rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(gradient, slope, rtol=tolerance, atol=tolerance)


def test_the_mtlr_form_equals_the_pmf_form() -> None:
    """Differences of the logits are the scores that pycox sums up again."""
    output = random_output("pmf", ONE, 12, dtype=torch.float64)
    target = target_beyond_the_horizon()

    torch.testing.assert_close(PycoxMTLR(ONE)(output, target), PycoxPMF(ONE)(output, target))


def test_piecewise_likelihood_by_hand() -> None:
    """-log(hazard of the interval) + H(t) for an event, H(t) for a censored subject."""
    gained = torch.tensor([[0.1, 0.2, 0.4, 0.8]] * 3).double()
    target = SurvivalTarget(torch.tensor([9.0, 3.0, 40.0]).double(), torch.tensor([1, 0, 1]))
    output = ModelOutput(gained.expm1().log(), "piecewise-hazard", torch.zeros(3, 1))

    loss = PiecewiseLikelihood(ONE)(output, target)

    hazard, cumulative = torch.tensor(0.4).double(), torch.tensor([0.5, 0.1, 1.5]).double()
    torch.testing.assert_close(loss, (cumulative.sum() - hazard.log()) / 3)


def test_delayed_entry_conditions_on_being_free_until_then() -> None:
    """The cumulative hazard before the entry drops out, exactly inside an interval."""
    output = random_output("piecewise-hazard", ONE, 12, dtype=torch.float64)
    target = random_target(ONE, 12, optional=("entry",))
    assert target.entry is not None
    free = replace(target, entry=None)
    until_entry = SurvivalTarget(target.entry, torch.zeros_like(target.event))
    loss = PiecewiseLikelihood(ONE)

    expected = loss(output, free) - loss(output, until_entry)

    torch.testing.assert_close(loss(output, target), expected)


def test_log_softplus_is_finite_far_below() -> None:
    """Where softplus is 0 in floating point its logarithm is still the argument."""
    values = torch.tensor([-2000.0, -30.5, -29.5, 0.0, 50.0], requires_grad=True)

    found = log_softplus(values)

    expected = torch.tensor([-2000.0, -30.5, -29.5, log(log(2)), log(50)])
    torch.testing.assert_close(found.detach(), expected)
    assert bool(torch.autograd.grad(found.sum(), values)[0].isfinite().all())


@pytest.mark.parametrize("loss", PYCOX)
@pytest.mark.parametrize("name", ["entry", "weight", "strata"])
def test_what_pycox_does_not_know_is_refused_by_name(loss: type, name: str) -> None:
    """Nothing that the cohort carries is ignored."""
    one = loss(ONE)
    output = random_output(one.accepts[0], ONE, 12)

    with pytest.raises(DataError, match=f"does not honour {name}"):
        one(output, random_target(ONE, 12, optional=(name,)))


@pytest.mark.parametrize("loss", PYCOX)
def test_several_causes_are_refused(loss: type) -> None:
    """The sentence names the causes and what would fit."""
    with pytest.raises(CompositionError, match=r"cancer, other.*deephit-likelihood"):
        loss(TWO)


@pytest.mark.parametrize("loss", PYCOX)
def test_without_the_extra_the_line_that_installs_it_is_said(
    loss: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import is tried when the loss is built, and not before."""
    for name in [each for each in sys.modules if each.partition(".")[0] == "pycox"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pycox", None)

    with pytest.raises(MissingExtraError, match=r'pip install "survkit-core\[pycox\]"'):
        loss(ONE)
