"""Breslow's baseline against R, the Nelson-Aalen estimator and its scaling."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from survkit.nonparametric.breslow import breslow_cumulative_hazard

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/losses/cox.json").read_text())


@pytest.mark.parametrize("case", GOLDEN["breslow"])
def test_r_survival(case: str) -> None:
    """R's basehaz (not centred) at the event times, with ties, weights and delayed entry."""
    column = {
        name: torch.tensor(GOLDEN[name], dtype=torch.float64)
        for name in ("log_hazard", "duration", "event", "entry", "weight")
    }
    more = {} if case == "plain" else {case: column[case]}

    times, hazard = breslow_cumulative_hazard(
        column["log_hazard"], column["duration"], column["event"] > 0, **more
    )

    expected = GOLDEN["breslow"][case]
    assert times.tolist() == expected["times"]
    assert hazard.tolist() == pytest.approx(expected["cumulative_hazard"], rel=1e-12)


def test_equal_hazards_are_nelson_aalen() -> None:
    """With equal hazards each step is events over subjects at risk."""
    duration = torch.tensor([2.0, 2.0, 3.0, 5.0, 5.0])
    observed = torch.tensor([True, True, False, True, False])

    times, hazard = breslow_cumulative_hazard(torch.zeros(5), duration, observed)

    assert times.tolist() == [2.0, 5.0]
    assert hazard.tolist() == pytest.approx([2 / 5, 2 / 5 + 1 / 2])


def test_a_shift_scales_the_baseline() -> None:
    """Adding c to all log hazards multiplies the baseline by exp(-c), also at 600."""
    generator = torch.Generator().manual_seed(0)
    log_hazard = torch.randn(30, generator=generator, dtype=torch.float64)
    duration = torch.rand(30, generator=generator, dtype=torch.float64)
    observed = torch.rand(30, generator=generator) < 0.5

    _, hazard = breslow_cumulative_hazard(log_hazard, duration, observed)
    _, shifted = breslow_cumulative_hazard(log_hazard + 600, duration, observed)

    torch.testing.assert_close(shifted.log() + 600, hazard.log())


def test_without_events_both_are_empty() -> None:
    """Nothing is known about a hazard that nobody met."""
    times, hazard = breslow_cumulative_hazard(
        torch.zeros(2), torch.tensor([1.0, 2.0]), torch.tensor([False, False])
    )

    assert len(times) == len(hazard) == 0
