"""Replicates by matrix products equal resampling one by one."""

from __future__ import annotations

import pytest
import torch

from survkit.errors import DataError
from survkit.flow import SurvivalTarget, select
from survkit.metrics import (
    Bootstrap,
    Estimate,
    Undefined,
    antolini_prediction_statistic,
    antolini_statistic,
    bootstrap_counts,
    bootstrap_replicates,
    brier_statistic,
    harrell_concordance,
    harrell_statistic,
    with_interval,
)
from survkit.metrics.bootstrap import Statistic
from survkit.prediction import GridPrediction

N = 60
GRID = (3.0, 6.0, 9.0, 12.0)


def cohort(n: int = N, seed: int = 0, *, everything: bool = False) -> SurvivalTarget:
    generator = torch.Generator().manual_seed(seed)
    duration = (torch.rand(n, generator=generator, dtype=torch.float64) * 12 + 1).ceil()
    event = torch.randint(0, 3, (n,), generator=generator)
    if not everything:
        return SurvivalTarget(duration, event)
    early = torch.rand(n, generator=generator, dtype=torch.float64)
    strata = torch.randint(0, 2, (n,), generator=generator)
    return SurvivalTarget(duration, event, early * duration, early + 0.5, strata)


def curves(seed: int = 1) -> torch.Tensor:
    return (torch.rand(N, 4, generator=torch.Generator().manual_seed(seed)) / 4).cumsum(1)


def statistics_of(rows: torch.Tensor, everything: bool) -> dict[str, Statistic]:
    """Every resampled statistic on the given subjects."""
    target = select(cohort(everything=everything), rows)
    plain = SurvivalTarget(target.duration, target.event, weight=target.weight)
    incidence = curves()[rows]
    column = torch.searchsorted(torch.tensor(GRID), target.duration.float()).clamp(max=3)
    prediction = GridPrediction(
        torch.tensor(GRID, dtype=torch.float64), incidence[:, None].double(), "linear"
    )
    return {
        "harrell": harrell_statistic(incidence[:, 1], target),
        "at-risk": harrell_statistic(incidence[:, 1], target, competing="at-risk", tau=8.0),
        "antolini": antolini_statistic(incidence, column, target, tie_score=0),
        "prediction": antolini_prediction_statistic(prediction, target),
        "brier": brier_statistic(incidence[:, 1:2], GRID[1:2], plain, plain),
        "integrated": brier_statistic(incidence, (2.0, 4.0, 6.0, 8.0), plain, plain, cause=2),
    }


@pytest.mark.parametrize("everything", [False, True])
def test_replicates_equal_the_statistic_of_resampled_subjects(everything: bool) -> None:
    """Concordances and Brier scores of 25 resampled data sets, one by one and all at once."""
    generator = torch.Generator().manual_seed(3)
    drawn = torch.randint(0, N, (25, N), generator=generator)
    counts = torch.stack([torch.bincount(row, minlength=N) for row in drawn])

    for name, statistic in statistics_of(torch.arange(N), everything).items():
        found = statistic.replicates(counts)
        for rows, value in zip(drawn, found.tolist(), strict=True):
            naive = statistics_of(rows, everything)[name].estimate()
            assert isinstance(naive, Estimate)
            assert value == pytest.approx(naive.value, abs=1e-9), name


def test_blocks_of_bounded_memory_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting events and replicates into blocks changes nothing."""
    statistic = statistics_of(torch.arange(N), False)["antolini"]
    whole = bootstrap_replicates(statistic, Bootstrap(replicates=30))
    monkeypatch.setattr("survkit.metrics.pair_statistic.BLOCK_CELLS", 3 * N)
    monkeypatch.setattr("survkit.metrics.bootstrap.CHUNK_CELLS", 7 * N)

    blocks = bootstrap_replicates(statistic, Bootstrap(replicates=30))

    torch.testing.assert_close(blocks, whole)


def test_other_training_subjects_are_resampled_on_their_own() -> None:
    """The censoring model is refitted on draws of the training subjects."""
    target, training = cohort(), cohort(90, seed=5)
    statistic = brier_statistic(curves(), (2.0, 4.0, 6.0, 8.0), target, training)
    generator = torch.Generator().manual_seed(4)
    drawn = torch.randint(0, 90, (10, 90), generator=generator)
    counts = torch.stack([torch.bincount(row, minlength=90) for row in drawn])

    found = statistic.replicates(torch.ones(10, N), counts)

    assert statistic.sizes == (N, 90)
    for rows, value in zip(drawn, found.tolist(), strict=True):
        naive = brier_statistic(curves(), (2.0, 4.0, 6.0, 8.0), target, select(training, rows))
        result = naive.estimate()
        assert isinstance(result, Estimate)
        assert value == pytest.approx(result.value, abs=1e-12)


def test_interval_is_the_percentiles_and_says_so() -> None:
    """The value is the data's own, the bounds are quantiles of the replicates."""
    statistic = statistics_of(torch.arange(N), False)["harrell"]
    bootstrap = Bootstrap(replicates=400, level=0.9, seed=2)
    replicates = bootstrap_replicates(statistic, bootstrap)

    result = with_interval(statistic, bootstrap)

    assert isinstance(result, Estimate)
    assert result.value == statistic.estimate().value  # type: ignore[union-attr]
    assert result.interval is not None
    bounds = torch.quantile(replicates, torch.tensor([0.05, 0.95], dtype=torch.float64))
    assert [result.interval.lower, result.interval.upper] == pytest.approx(bounds.tolist())
    assert result.method.endswith("bootstrap, 400 replicates by subject")
    assert with_interval(statistic, bootstrap) == result


def test_undefined_replicates_are_counted() -> None:
    """With one event many draws have none; the method tells how many."""
    target = SurvivalTarget(torch.arange(1.0, 6.0), torch.tensor([0, 1, 0, 0, 0]))

    result = with_interval(harrell_statistic(torch.rand(5), target), Bootstrap(replicates=200))

    assert isinstance(result, Estimate)
    assert "of them undefined" in result.method


def test_undefined_stays_undefined() -> None:
    """No event, no interval."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0]), torch.tensor([0, 0]))

    result = with_interval(harrell_statistic(torch.rand(2), target), Bootstrap(replicates=20))

    assert isinstance(result, Undefined)


def test_clusters_are_drawn_whole() -> None:
    """Subjects of a site come together, and as many sites are drawn as there are."""
    sites = torch.tensor([7, 7, 7, 3, 3, 9])

    counts = bootstrap_counts(6, 50, torch.Generator().manual_seed(0), sites)

    assert bool((counts[:, :3] == counts[:, :1]).all())
    assert bool((counts[:, 3] == counts[:, 4]).all())
    assert set((counts[:, 0] + counts[:, 3] + counts[:, 5]).tolist()) == {3}


def test_every_draw_has_as_many_subjects() -> None:
    """Without clusters each row sums to the number of subjects."""
    counts = bootstrap_counts(11, 40, torch.Generator().manual_seed(0))

    assert counts.sum(1).tolist() == [11] * 40


def test_senseless_settings_are_refused() -> None:
    """One replicate, a level of 95, or clusters of other subjects."""
    with pytest.raises(DataError, match="two replicates at least"):
        Bootstrap(replicates=1)
    with pytest.raises(DataError, match="level=95"):
        Bootstrap(level=95)
    with pytest.raises(DataError, match="clusters must hold one value for each of 6"):
        bootstrap_counts(6, 5, torch.Generator(), torch.tensor([1, 2]))


@pytest.mark.slow
def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Of 200 cohorts of 120 with a known concordance, 95 % intervals hold it in 90 to 99 %."""
    generator = torch.Generator().manual_seed(8)

    def draw(n: int) -> tuple[torch.Tensor, SurvivalTarget]:
        score = torch.randn(n, generator=generator, dtype=torch.float64)
        noise = torch.rand(2, n, generator=generator, dtype=torch.float64).log().neg()
        event_time, censoring = noise[0] * (-score).exp(), noise[1] * 2
        observed = (event_time <= censoring).long()
        return score, SurvivalTarget(torch.minimum(event_time, censoring), observed)

    # Harrell's limit depends on censoring: the truth is the value in one very large cohort.
    score, target = draw(200_000)
    truth = harrell_concordance(score, target)
    assert isinstance(truth, Estimate)
    covered = 0
    for seed in range(200):
        result = with_interval(harrell_statistic(*draw(120)), Bootstrap(replicates=300, seed=seed))
        assert isinstance(result, Estimate)
        assert result.interval is not None
        covered += result.interval.lower <= truth.value <= result.interval.upper

    assert 180 <= covered <= 198
