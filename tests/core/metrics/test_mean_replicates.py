"""The mean of many concordances in every resample, by one product."""

from __future__ import annotations

import pytest
import torch

from survkit.flow import SurvivalTarget
from survkit.metrics.antolini import antolini_statistic
from survkit.metrics.harrell import harrell_statistic
from survkit.metrics.pair_statistic import PairStatistic, mean_replicates

SUBJECTS, TABLES = 40, 7


def statistics(kind: str) -> list[PairStatistic]:
    """Concordances of tied scores, with ties in time, weights and strata."""
    random = torch.Generator().manual_seed(0)
    column = torch.randint(0, 8, (SUBJECTS,), generator=random)
    target = SurvivalTarget(
        duration=column.double() + 1,
        event=torch.randint(0, 3, (SUBJECTS,), generator=random),
        weight=torch.rand(SUBJECTS, generator=random, dtype=torch.float64) + 0.5,
        strata=torch.randint(0, 2, (SUBJECTS,), generator=random),
    )
    found = []
    for _ in range(TABLES):
        if kind == "harrell":
            score = torch.randint(0, 9, (SUBJECTS,), generator=random).double()
            found.append(harrell_statistic(score, target))
        else:
            rise = torch.randint(0, 3, (SUBJECTS, 8), generator=random).double()
            found.append(antolini_statistic(rise.cumsum(dim=1) / 20, column, target))
    return found


def counts() -> torch.Tensor:
    """Draws of 30 resamples, and one in which nobody can be compared."""
    random = torch.Generator().manual_seed(1)
    draws = torch.randint(0, SUBJECTS, (30, SUBJECTS), generator=random)
    drawn = torch.nn.functional.one_hot(draws, SUBJECTS).sum(dim=1)
    return torch.cat([drawn, torch.zeros(1, SUBJECTS, dtype=drawn.dtype)])


@pytest.mark.parametrize("kind", ["harrell", "antolini"])
def test_it_is_the_mean_of_their_replicates(kind: str) -> None:
    """A concordance is linear in the credits of its pairs."""
    many, drawn = statistics(kind), counts()
    expected = torch.stack([each.replicates(drawn) for each in many]).mean(dim=0)
    found = mean_replicates(many, drawn)

    assert torch.allclose(found[:-1], expected[:-1], rtol=1e-12, atol=0)
    assert len(torch.unique(found[:-1])) == 30
    assert bool(found[-1].isnan())


@pytest.mark.parametrize("kind", ["harrell", "antolini"])
def test_equal_ones_are_one_of_them(kind: str) -> None:
    """To the last bit, so that a difference of nothing is 0."""
    one, drawn = statistics(kind)[0], counts()[:-1]

    assert torch.equal(mean_replicates([one] * 7, drawn), mean_replicates([one], drawn))
