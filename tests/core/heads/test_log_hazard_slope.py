"""The slope that spreads shrunken log hazards again."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from lifelines import CoxPHFitter

from survkit.errors import ConfigError
from survkit.flow import SurvivalTarget
from survkit.heads.cox import CoxHead
from survkit.heads.log_hazard_slope import log_hazard_slope
from survkit.specs import OutcomeSpec

ONE = OutcomeSpec(causes=("death",), horizon=2.0, time_grid=(1.0, 2.0))


def draw(subjects: int = 80) -> tuple[torch.Tensor, SurvivalTarget]:
    """Log hazards of half the true size, and what happened; no ties."""
    generator = torch.Generator().manual_seed(0)
    log_hazard = torch.randn(subjects, generator=generator, dtype=torch.float64)
    uniform = torch.rand(subjects, generator=generator, dtype=torch.float64)
    duration = -uniform.log() * (-2 * log_hazard).exp()
    event = (torch.rand(subjects, generator=generator) < 0.7).long()
    return log_hazard, SurvivalTarget(duration, event)


def test_it_is_the_coefficient_that_lifelines_finds() -> None:
    """Also with case weights."""
    log_hazard, target = draw()
    weight = torch.arange(len(log_hazard)).double() % 3 + 1
    columns = {"x": log_hazard, "duration": target.duration, "event": target.event, "w": weight}
    table = pd.DataFrame({name: value.numpy() for name, value in columns.items()})
    plain = CoxPHFitter().fit(table[["x", "duration", "event"]], "duration", "event")
    weighed = CoxPHFitter().fit(table, "duration", "event", weights_col="w", robust=True)
    observed = target.event > 0

    assert log_hazard_slope(log_hazard, target.duration, observed) == pytest.approx(
        plain.params_["x"], rel=1e-5
    )
    assert log_hazard_slope(log_hazard, target.duration, observed, weight=weight) == pytest.approx(
        weighed.params_["x"], rel=1e-5
    )


@pytest.mark.parametrize("factor", [1e-6, 3.0, 1e5])
def test_a_factor_of_the_log_hazards_is_taken_back(factor: float) -> None:
    """However far training shrank or spread them, the same predictions come out."""
    log_hazard, target = draw()
    curves = []
    for size in (1.0, factor):
        head = CoxHead(1, ONE, slope="refitted").double()
        head.fit_baseline(size * log_hazard[:, None], target)
        curves.append(head.predict(size * log_hazard[:, None]).survival([0.5, 1.0, 2.0]))

    torch.testing.assert_close(curves[0], curves[1], rtol=1e-6, atol=1e-9)


def test_the_order_of_subjects_is_kept_and_calibration_restored() -> None:
    """Shrunken log hazards are ordered as before, but predict frailer and fitter subjects again."""
    log_hazard, target = draw()
    shrunk = 0.1 * log_hazard[:, None]
    scores = []
    for slope in ("as-trained", "refitted"):
        head = CoxHead(1, ONE, slope=slope).double()  # type: ignore[arg-type]
        head.fit_baseline(shrunk, target)
        scores.append(head.predict(shrunk).risk_score(1.0))

    assert torch.equal(scores[0].argsort(), scores[1].argsort())
    assert float(scores[1].std()) > 3 * float(scores[0].std())


def test_without_a_positive_finite_slope_there_is_none() -> None:
    """No event, equal log hazards, an order no better than chance, and a perfect one."""
    duration, everybody = torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([True, True, True])
    falling = torch.tensor([3.0, 2.0, 1.0]).double()

    assert log_hazard_slope(falling, duration, ~everybody) is None
    assert log_hazard_slope(torch.ones(3).double(), duration, everybody) is None
    assert log_hazard_slope(-falling, duration, everybody) is None
    assert log_hazard_slope(falling, duration, everybody) is None


def test_it_is_saved_only_where_it_was_asked_for() -> None:
    """Models saved before load strictly; one with a slope needs it."""
    log_hazard, target = draw()
    head = CoxHead(1, ONE, slope="refitted").double()
    head.fit_baseline(0.1 * log_hazard[:, None], target)
    fresh = CoxHead(1, ONE, slope="refitted").double()
    fresh.load_state_dict(head.state_dict(), strict=True)

    assert "slope" not in CoxHead(1, ONE).state_dict()
    assert torch.equal(
        fresh.predict(log_hazard[:, None]).survival([1.0]),
        head.predict(log_hazard[:, None]).survival([1.0]),
    )
    with pytest.raises(ConfigError, match="slope must be one of"):
        CoxHead(1, ONE, slope="free")  # type: ignore[arg-type]
