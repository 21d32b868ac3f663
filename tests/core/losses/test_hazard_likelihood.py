"""The likelihood of discrete hazards against golden numbers, pycox and its distribution."""

from __future__ import annotations

import pytest
import torch

from survkit.discrete import log_interval_hazard, log_pmf
from survkit.errors import ConfigError, DataError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.deephit_likelihood import deephit_likelihood
from survkit.losses.hazard_likelihood import HazardLikelihood, hazard_likelihood
from survkit.specs import OutcomeSpec
from survkit.time_grid import discretise, entry_index

HAZARD = torch.tensor(
    [[0.3, 0.2, 0.1, 0.1], [0.1, 0.2, 0.4, 0.2], [0.05, 0.05, 0.1, 0.1]], dtype=torch.float64
)
INTERVAL, EVENT = torch.tensor([0, 2, 3]), torch.tensor([1, 1, 0])
OUTCOME = OutcomeSpec(causes=("a", "b"), horizon=4.0, time_grid=(1.0, 2.0, 3.0, 4.0))


def test_golden_numbers() -> None:
    """Eq. 12 as printed, and with the censored subject surviving its own interval too."""
    terms = log_interval_hazard(HAZARD.logit(), "interval-hazard", 1, 4)

    printed = hazard_likelihood(*terms, INTERVAL, EVENT)
    inclusive = hazard_likelihood(*terms, INTERVAL, EVENT, censored="inclusive")

    assert float(printed) * 3 == pytest.approx(2.6567147076050546, rel=1e-13)
    assert float(inclusive) * 3 == pytest.approx(2.762075223262881, rel=1e-13)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_pycox(seed: int) -> None:
    """The logistic hazard of pycox is the inclusive form."""
    loss_module = pytest.importorskip("pycox.models.loss")
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(40, 6, generator=generator, dtype=torch.float64)
    interval = torch.randint(0, 6, (40,), generator=generator)
    event = torch.randint(0, 2, (40,), generator=generator)

    loss = hazard_likelihood(
        *log_interval_hazard(logits, "interval-hazard", 1, 6), interval, event, censored="inclusive"
    )

    expected = loss_module.nll_logistic_hazard(logits, interval, event.double())
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)


def test_inclusive_hazards_are_deephit_likelihood_of_the_same_distribution() -> None:
    """Conditional and unconditional form agree, with competing causes, late entry and weights."""
    generator = torch.Generator().manual_seed(4)
    logits = torch.randn(50, 4, 3, generator=generator, dtype=torch.float64)
    entry = torch.rand(50, generator=generator, dtype=torch.float64) * 4
    duration = entry + torch.rand(50, generator=generator, dtype=torch.float64) * 3 + 0.01
    event = torch.randint(0, 3, (50,), generator=generator)
    weight = torch.rand(50, generator=generator, dtype=torch.float64) + 0.1
    interval, code = discretise(SurvivalTarget(duration, event), OUTCOME)
    late = entry_index(entry, OUTCOME.time_grid)

    for mode in ("inclusive", "exclusive"):
        hazard = hazard_likelihood(
            *log_interval_hazard(logits, "cause-interval-hazard", 2, 4),
            interval,
            code,
            censored=mode,
            entry=late,
            weight=weight,
        )
        whole = deephit_likelihood(
            *log_pmf(logits, "cause-interval-hazard", 2, 4),
            interval,
            code,
            censored=mode,
            entry=late,
            weight=weight,
        )
        torch.testing.assert_close(hazard, whole)


def test_component_discretises_and_passes_entry_and_weight() -> None:
    """The component gives what the function gives on the outcome's grid."""
    generator = torch.Generator().manual_seed(4)
    logits = torch.randn(6, 4, 3, generator=generator, dtype=torch.float64).requires_grad_()
    entry = torch.tensor([0, 0.5, 1, 2, 3, 3.5], dtype=torch.float64)
    target = SurvivalTarget(entry + 1, torch.tensor([0, 1, 2, 0, 1, 2]), entry, entry + 1)
    interval, code = discretise(target, OUTCOME)

    loss = HazardLikelihood(OUTCOME)(ModelOutput(logits, "cause-interval-hazard", logits), target)

    expected = hazard_likelihood(
        *log_interval_hazard(logits, "cause-interval-hazard", 2, 4),
        interval,
        code,
        entry=torch.tensor([0, 0, 1, 2, 3, 3]),
        weight=entry + 1,
    )
    torch.testing.assert_close(loss, expected)
    assert torch.isfinite(torch.autograd.grad(loss, logits)[0]).all()
    assert "cause-interval-hazard" in HazardLikelihood(OUTCOME).accepts


def test_strata_and_unknown_modes_are_refused() -> None:
    """By name."""
    column = torch.tensor([1])
    target = SurvivalTarget(torch.tensor([1.0]), column, strata=column)
    parameters = torch.zeros(1, 4, 3)
    with pytest.raises(DataError, match="'hazard-likelihood' does not honour strata"):
        HazardLikelihood(OUTCOME)(
            ModelOutput(parameters, "cause-interval-hazard", parameters), target
        )
    with pytest.raises(ConfigError, match="not 'never'"):
        HazardLikelihood(OUTCOME, censored="never")  # type: ignore[arg-type]
