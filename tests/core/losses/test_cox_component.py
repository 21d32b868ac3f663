"""The Cox loss as a component: causes, horizon, what it refuses."""

from __future__ import annotations

import pytest
import torch
from tests.core.losses.cox_cases import draw, float64

from survkit.errors import ConfigError, DataError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.cox import CoxLoss, cox_loss
from survkit.losses.risk_sets import risk_set_order
from survkit.specs import OutcomeSpec


def test_component_sums_cause_specific_losses() -> None:
    """Other causes, and events after the horizon, count as censored; extras reach the loss."""
    outcome = OutcomeSpec(causes=("a", "b"), horizon=9.0, time_grid=(9.0,))
    log_hazard, duration, _, more = draw(40, 2, "entry+weight+strata", 1.0)
    event = torch.arange(40) % 3
    both = torch.stack([log_hazard, -log_hazard], dim=1)
    output = ModelOutput(both, "log-hazard", both)

    loss = CoxLoss(outcome, ties="efron")(output, SurvivalTarget(duration, event, **more))

    parts = [
        cox_loss(both[:, k], duration, (event == k + 1) & (duration <= 9), ties="efron", **more)
        for k in (0, 1)
    ]
    torch.testing.assert_close(loss, parts[0] + parts[1])
    assert CoxLoss(outcome).accepts == ("log-hazard",)


def test_events_after_the_horizon_can_count() -> None:
    """Then the loss is that of the whole follow-up, whatever the horizon is."""
    outcome = OutcomeSpec(causes=("a",), horizon=2.0, time_grid=(2.0,))
    duration, event = float64([1.0, 2.0, 3.0, 4.0]), torch.tensor([1, 0, 1, 0])
    log_hazard = float64([0.3, -1.0, 0.7, 0.2])
    output = ModelOutput(log_hazard[:, None], "log-hazard", log_hazard[:, None])
    target = SurvivalTarget(duration, event)

    whole = CoxLoss(outcome, after_horizon="events")(output, target)
    early = CoxLoss(outcome)(output, target)

    torch.testing.assert_close(whole, cox_loss(log_hazard, duration, event > 0))
    torch.testing.assert_close(early, cox_loss(log_hazard, duration, (event > 0) & (duration <= 2)))
    assert float(whole) != float(early)
    with pytest.raises(ConfigError, match="'censored' or 'events', not 'both'"):
        CoxLoss(outcome, after_horizon="both")  # type: ignore[arg-type]


def test_wrong_arguments_are_refused() -> None:
    """Ties, dtype and shapes are checked without looking at values."""
    log_hazard, duration, observed, _ = draw(4, 1, "", 1.0)
    with pytest.raises(ConfigError, match="not 'exact'"):
        cox_loss(log_hazard, duration, observed, ties="exact")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"dtype bool, not torch\.int64"):
        cox_loss(log_hazard, duration, observed.long())
    with pytest.raises(DataError, match=r"shape \(batch\), not \(4, 1\)"):
        cox_loss(log_hazard.unsqueeze(1), duration, observed)
    outcome = OutcomeSpec(causes=("a", "b"), horizon=9.0, time_grid=(9.0,))
    with pytest.raises(ConfigError, match="not 'exact'"):
        CoxLoss(outcome, ties="exact")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"\(batch, 2\), not \(4, 1\)"):
        CoxLoss(outcome)(
            ModelOutput(log_hazard.unsqueeze(1), "log-hazard", log_hazard),
            SurvivalTarget(duration, observed.long()),
        )


def test_sorting_does_not_touch_the_durations() -> None:
    """The order shares no memory with the caller's tensor."""
    duration = float64([3.0, 1.0, 2.0])
    before = duration.clone()

    risk_set_order(duration)

    assert torch.equal(before, duration)
