"""Resamples: matrix products over counts are the metrics of tables that repeat their subjects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from survkit.errors import ConfigError, DataError
from survkit.evaluation import resampling
from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.metric_names import BRIER, HARRELL, ICI, METRICS
from survkit.evaluation.metric_statistics import MEASURES
from survkit.evaluation.part import Part
from survkit.evaluation.predictions import Predictions
from survkit.evaluation.resampling import draws, units_of
from survkit.metrics import Estimate, Undefined

MakeTable = Callable[..., Predictions]


def repeated(table: Predictions, counts: np.ndarray) -> Predictions:
    """Return the table with every subject as often as it was drawn, under names of their own."""
    rows = np.repeat(np.arange(len(table)), counts)
    copy = np.concatenate([np.arange(count) for count in counts])
    columns = {
        name: getattr(table, name)[rows]
        for name in ("repeat", "fold", "duration", "event", "risk_score", "cumulative_incidence")
    }
    names = [f"{table.subject[row]}-{number}" for row, number in zip(rows, copy, strict=True)]
    return replace(table, subject=np.array(names), site=table.site[rows], **columns)  # type: ignore[index]


def part(table: Predictions, counts: torch.Tensor) -> Part:
    return Part(predictions=table, rows=np.arange(len(table)), counts=counts, cause=1)


@pytest.mark.parametrize("causes", [1, 2])
@pytest.mark.parametrize("cluster", ["subject", "site"])
def test_replicates_equal_a_naive_loop(
    make_table: MakeTable, causes: int, cluster: resampling.Cluster
) -> None:
    """Of every metric; only smooth calibration keeps its knots, so it has a test of its own."""
    table = make_table(60, causes=causes, folds=2)
    counts = next(draws(units_of(table, cluster), replicates=12, seed=3))
    checked: set[str] = set()
    for key, measure in MEASURES.items():
        if measure.most_resamples is not None:
            continue
        found = measure.statistic(part(table, counts))
        assert isinstance(found, torch.Tensor), found
        checked.add(key)
        for number, row in enumerate(counts.numpy().astype(np.int64)):
            drawn = repeated(table, row)
            expected = float("nan")
            if len(drawn.folds(0)) == 2:
                once = measure.statistic(part(drawn, torch.ones(1, len(drawn)).double()))
                if not isinstance(once, Undefined):
                    expected = float(once[0])
            got = float(found[number])
            if got == got or expected == expected:
                assert got == pytest.approx(expected, rel=1e-9), (key, number)
    assert len(checked) == len(MEASURES) - 3


def test_chunks_change_nothing(make_table: MakeTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the resamples are cut, they are the same, and so is every number."""
    table = make_table(40, site=None, folds=2)
    whole = evaluate(table, replicates=30).to_json()
    monkeypatch.setattr(resampling, "CHUNK_CELLS", 40 * 13)
    sizes = [len(chunk) for chunk in draws(units_of(table, "subject"), replicates=30, seed=0)]
    cut = evaluate(table, replicates=30).to_json()

    assert sizes == [14, 14, 5]
    for key in ("harrell_concordance_within_folds", "brier_score", "dynamic_auc", "ici"):
        first, second = (
            one["causes"]["death"]["metrics"][key]["pooled"]["interval"] for one in (whole, cut)
        )
        assert first == pytest.approx(second, rel=1e-9)


def test_whole_sites_are_drawn(make_table: MakeTable) -> None:
    """Subjects of one site have one count; the sample itself has ones."""
    table = make_table()
    counts = next(draws(units_of(table, "site"), replicates=50, seed=0))
    for name in table.sites:
        of_site = counts[:, torch.from_numpy(table.site == name)]
        assert bool((of_site == of_site[:, :1]).all())

    assert bool((counts[0] == 1).all())
    assert len(torch.unique(counts[1:].sum(dim=1))) > 5  # sites differ in size


def test_intervals_over_sites_say_how_many_and_are_wider_where_sites_differ(
    make_table: MakeTable,
) -> None:
    """Predictions off by a constant at each site: subjects of a site err together."""
    table = make_table(200)
    offset = {"east": 0.5, "north": 1.0, "south": 1.5, "west": 2.0}
    factor = np.array([offset[name] for name in table.site])[:, None, None]  # type: ignore[union-attr]
    bent = replace(table, cumulative_incidence=1 - (1 - table.cumulative_incidence) ** factor)
    widths = {}
    for cluster in ("subject", "site"):
        pooled = evaluate(bent, replicates=200, cluster=cluster).metric("brier_score").pooled  # type: ignore[arg-type]
        assert isinstance(pooled, Estimate)
        assert pooled.interval is not None
        widths[cluster] = pooled.interval.upper - pooled.interval.lower
        if cluster == "site":
            assert "4 sites (fewer than 10, so the interval is rough)" in pooled.method

    assert widths["site"] > 0


def test_a_single_site_has_no_interval_over_sites(make_table: MakeTable) -> None:
    """The numbers of one site have a value, and say why they have no interval."""
    metric = evaluate(make_table(), replicates=20, cluster="site").metric(HARRELL)
    for result in metric.sites.values():
        assert isinstance(result, Estimate)
        assert result.interval is None
        assert "all of one site" in result.method


def test_sites_are_refused_where_there_are_none(make_table: MakeTable) -> None:
    """One line that says what is needed."""
    with pytest.raises(DataError, match="need a column site with two sites at least, not 0"):
        evaluate(make_table(site=None), cluster="site")
    with pytest.raises(ConfigError, match="'subject' or 'group' or 'site', not 'ward'"):
        evaluate(make_table(), cluster="ward")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="interval must be 'bootstrap' or 'jackknife'"):
        evaluate(make_table(), interval="bca")  # type: ignore[arg-type]


def test_smooth_calibration_is_resampled_less_and_says_so(
    make_table: MakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound on the slow ones alone."""
    quick = {key: replace(one) for key, one in MEASURES.items()}
    quick[ICI] = replace(quick[ICI], most_resamples=15)
    monkeypatch.setattr(
        "survkit.evaluation.scopes._METRICS",
        [(item.key, item.label, quick[item.key]) for item in METRICS],
    )
    found = evaluate(make_table(60), replicates=25)
    slow, fast = found.metric(ICI).pooled, found.metric(BRIER).pooled

    assert isinstance(slow, Estimate)
    assert isinstance(fast, Estimate)
    assert "15 resamples, fewer than asked because it is slow" in slow.method
    assert "25 resamples" in fast.method


def test_progress_counts_all_resamples_of_all_causes(make_table: MakeTable) -> None:
    """It ends at its total."""
    told: list[tuple[int, int]] = []
    evaluate(
        make_table(40, causes=2),
        replicates=10,
        progress=lambda done, total: told.append((done, total)),
    )

    assert told[-1] == (40, 40)  # smooth calibration has resamples of its own
    assert [done for done, _ in told] == sorted(done for done, _ in told)
