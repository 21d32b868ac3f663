"""Incidences of all bootstrap replicates against the estimator of resampled subjects."""

from __future__ import annotations

import pytest
import torch

from survkit.flow import SurvivalTarget
from survkit.metrics.bootstrap import bootstrap_counts
from survkit.nonparametric.aalen_johansen import aalen_johansen
from survkit.nonparametric.incidence_replicates import incidence_replicates
from survkit.nonparametric.kaplan_meier import kaplan_meier

TIMES = torch.tensor([0.5, 3.0, 7.0, 20.0], dtype=torch.float64)


@pytest.mark.parametrize("cause", [1, 2, None])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_estimator_of_the_drawn_subjects(cause: int | None, weighted: bool) -> None:
    """Each row is Aalen–Johansen's estimate, or 1 - Kaplan–Meier, of the repeated subjects."""
    generator = torch.Generator().manual_seed(1)
    duration = (torch.rand(40, generator=generator, dtype=torch.float64) * 10).ceil()
    event = torch.randint(0, 3, (40,), generator=generator)
    weight = torch.rand(40, generator=generator, dtype=torch.float64) + 0.5
    target = SurvivalTarget(duration, event, weight=weight if weighted else None)
    counts = bootstrap_counts(40, 5, generator)

    found = incidence_replicates(target, counts, cause, TIMES)

    for row, drawn in zip(found, counts, strict=True):
        rows = torch.arange(40).repeat_interleave(drawn)
        own = weight[rows] if weighted else None
        if cause is None:
            expected = 1 - kaplan_meier(duration[rows], event[rows] > 0, weight=own).at(TIMES)
        else:
            expected = aalen_johansen(duration[rows], event[rows], 2, weight=own).at(TIMES)[
                cause - 1
            ]
        torch.testing.assert_close(row, expected)
