"""The Weibull likelihood against scipy, its exponential special case and its invariances."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import weibull_min  # type: ignore[attr-defined]
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.weibull import WeibullLoss, weibull_loss
from survkit.specs import OutcomeSpec

OUTCOME = OutcomeSpec(causes=("death",), horizon=5.0, time_grid=(5.0,))


def draw() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Log scale, log shape, duration, observed and entry of 30 subjects."""
    generator = torch.Generator().manual_seed(3)
    values = torch.rand(4, 30, generator=generator, dtype=torch.float64)
    duration = values[2] * 8 + 0.1
    entry = torch.where(values[3] < 0.3, 0.0, duration * values[3] * 0.9)
    return values[0] * 2, values[1] - 0.5, duration, values[0] < 0.6, entry


def test_scipy_densities() -> None:
    """Log densities of events, log survival of the censored, given survival to entry; weighted."""
    log_scale, log_shape, duration, observed, entry = draw()
    law = weibull_min(log_shape.exp().numpy(), scale=log_scale.exp().numpy())
    terms = np.where(observed, law.logpdf(duration.numpy()), law.logsf(duration.numpy()))
    weight = duration + 1

    loss = weibull_loss(log_scale, log_shape, duration, observed, entry=entry, weight=weight)

    expected = -np.average(terms - law.logsf(entry.numpy()), weights=weight.numpy())
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_gradcheck_with_entry_at_zero() -> None:
    """Entry at 0 neither counts nor makes NaN gradients."""
    log_scale, log_shape, duration, observed, entry = draw()
    parameters = torch.stack([log_scale, log_shape]).requires_grad_()

    assert torch.autograd.gradcheck(
        lambda p: weibull_loss(p[0], p[1], duration, observed, entry=entry), parameters
    )
    torch.testing.assert_close(
        weibull_loss(log_scale, log_shape, duration, observed, entry=torch.zeros_like(entry)),
        weibull_loss(log_scale, log_shape, duration, observed),
    )


def test_component_ends_follow_up_at_the_horizon() -> None:
    """Later events count as censored at the horizon; who enters after it says nothing."""
    log_scale, log_shape, _, _, _ = draw()
    parameters = torch.stack([log_scale[:4], log_shape[:4]], dim=1)
    target = SurvivalTarget(
        torch.tensor([1.0, 6.0, 7.0, 9.0], dtype=torch.float64),
        torch.tensor([1, 1, 0, 1]),
        entry=torch.tensor([0.5, 0.0, 0.0, 8.0], dtype=torch.float64),
    )

    loss = WeibullLoss(OUTCOME)(ModelOutput(parameters, "weibull", parameters), target)

    expected = weibull_loss(
        log_scale[:3],
        log_shape[:3],
        torch.tensor([1.0, 5.0, 5.0]),
        torch.tensor([True, False, False]),
        entry=torch.tensor([0.5, 0.0, 0.0]),
    )
    torch.testing.assert_close(loss, expected * 3 / 4)
    assert WeibullLoss(OUTCOME).accepts == ("weibull",)


def test_low_precision_is_promoted() -> None:
    """bfloat16 parameters give a float32 loss."""
    log_scale, log_shape, duration, observed, _ = draw()

    loss = weibull_loss(log_scale.bfloat16(), log_shape.bfloat16(), duration, observed)

    assert loss.dtype == torch.float32


def test_what_does_not_fit_is_refused() -> None:
    """Several causes, strata and wrong shapes."""
    column = torch.tensor([1])
    output = ModelOutput(torch.zeros(1, 2), "weibull", torch.zeros(1, 2))
    with pytest.raises(DataError, match="does not honour strata"):
        WeibullLoss(OUTCOME)(output, SurvivalTarget(column.double(), column, strata=column))
    with pytest.raises(DataError, match=r"must be \(batch, 2\), not \(1, 3\)"):
        WeibullLoss(OUTCOME)(
            ModelOutput(torch.zeros(1, 3), "weibull", torch.zeros(1, 2)),
            SurvivalTarget(column.double(), column),
        )
    with pytest.raises(DataError, match="one cause, but the outcome has 2"):
        WeibullLoss(OutcomeSpec(causes=("a", "b"), horizon=5.0, time_grid=(5.0,)))
