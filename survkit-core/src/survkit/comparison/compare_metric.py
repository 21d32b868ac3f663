"""All models in one metric: values, differences, tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from survkit.comparison.bootstrap_difference import difference_with_interval
from survkit.comparison.comparable_metrics import metric_name
from survkit.comparison.comparison import MetricComparison, PairComparison
from survkit.comparison.corrected_resampled import CorrectedTest, corrected_resampled_t
from survkit.comparison.holm import holm
from survkit.comparison.non_inferiority import NonInferiority, non_inferiority
from survkit.comparison.permutation import PermutationTest, cluster_shares, sign_flip_test
from survkit.comparison.settings import CompareSettings
from survkit.comparison.table_shares import table_shares
from survkit.comparison.table_statistic import TableStatistic
from survkit.comparison.verdict import verdict
from survkit.comparison.wilcoxon import WilcoxonTest, wilcoxon_signed_rank
from survkit.evaluation.predictions import Predictions
from survkit.metrics.bootstrap import Bootstrap, bootstrap_replicates
from survkit.metrics.estimate import Estimate, Result, Undefined

Pair = tuple[str, str]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Model:
    """One model in one metric.

    Attributes:
        statistic: The metric.
        value: Of the sample.
        replicates: Of the resamples; none where the value is undefined.
        repeats: Value of each repeat.
        folds: Value of each fold of each repeat.
    """

    statistic: TableStatistic
    value: Result
    replicates: Tensor
    repeats: list[Result]
    folds: list[Result]


def compare_metric(
    statistics: Mapping[str, TableStatistic],
    pairs: Sequence[Pair],
    *,
    clusters: Tensor | None,
    margin: float | None,
    settings: CompareSettings,
) -> MetricComparison:
    """Compare the pairs of models.

    Args:
        statistics: The metric of every model, on the same rows in the same order.
        pairs: Names of first and second model of each difference.
        clusters: Cluster of each subject where clusters are swapped and resampled; (subject).
        margin: Of non-inferiority, where it is asked.
        settings: Of tests and intervals.
    """
    name = metric_name(next(iter(statistics.values())).key)
    models = {each: _model(one, clusters, settings) for each, one in statistics.items()}
    found = [_pair(models, pair, clusters, settings) for pair in pairs]
    tested = [each for each in found if isinstance(each.permutation, PermutationTest)]
    adjusted = dict(
        zip(
            [(each.first, each.second) for each in tested],
            holm([each.permutation.p_value for each in tested]),  # type: ignore[union-attr]
            strict=True,
        )
    )
    sign = -1.0 if name.best == "lowest" else 1.0
    return MetricComparison(
        label=name.label,
        best=name.best,
        values={each: model.value for each, model in models.items()},
        pairs=tuple(
            _judged(each, models, adjusted.get((each.first, each.second)), sign, margin, settings)
            for each in found
        ),
    )


def _model(statistic: TableStatistic, clusters: Tensor | None, settings: CompareSettings) -> _Model:
    value = statistic.estimate()
    replicates = torch.empty(0, dtype=torch.float64)
    if isinstance(value, Estimate) and settings.replicates:
        bootstrap = Bootstrap(
            replicates=settings.replicates,
            level=settings.level,
            seed=settings.seed,
            clusters=clusters,
        )
        replicates = bootstrap_replicates(statistic, bootstrap)
    return _Model(
        statistic=statistic,
        value=value,
        replicates=replicates,
        repeats=statistic.by_repeat(),
        folds=statistic.by_fold(),
    )


def _pair(
    models: Mapping[str, _Model], pair: Pair, clusters: Tensor | None, settings: CompareSettings
) -> PairComparison:
    """Compute everything about a pair that does not need the other pairs."""
    first, second = (models[name] for name in pair)
    between = _between(first, second)
    difference = difference_with_interval(
        (first.value, second.value), between, settings.level, settings.unit or "subject"
    )
    shares: Tensor | Undefined
    if isinstance(difference, Undefined):
        shares = difference
    else:
        shares = table_shares(first.statistic, second.statistic, exchange=settings.exchange)
    return PairComparison(
        first=pair[0],
        second=pair[1],
        difference=difference,
        permutation=_permutation(shares, clusters, settings),
        p_holm=None,
        wilcoxon=_over_repeats(first, second),
        corrected=_over_folds(first, second),
        non_inferiority=None,
        shares=np.empty(0) if isinstance(shares, Undefined) else shares.numpy(),
        verdict="",
    )


def _between(first: _Model, second: _Model) -> Tensor:
    """First minus second in every resample; none where one of them is undefined."""
    if len(first.replicates) != len(second.replicates):
        return torch.empty(0, dtype=torch.float64)
    return first.replicates - second.replicates


def _permutation(
    shares: Tensor | Undefined, clusters: Tensor | None, settings: CompareSettings
) -> PermutationTest | Undefined:
    if isinstance(shares, Undefined):
        return shares
    swapped = shares if clusters is None else cluster_shares(shares, clusters)
    return sign_flip_test(swapped, permutations=settings.permutations, seed=settings.seed)


def _judged(
    pair: PairComparison,
    models: Mapping[str, _Model],
    p_holm: float | None,
    sign: float,
    margin: float | None,
    settings: CompareSettings,
) -> PairComparison:
    """Add what needs the other pairs, the direction of the metric and the margin."""
    judged: NonInferiority | Undefined | None = None
    gain = 0.0
    if isinstance(pair.difference, Estimate):
        gain = sign * pair.difference.value
    if margin is not None and isinstance(pair.difference, Undefined):
        judged = pair.difference
    elif margin is not None:
        between = _between(models[pair.first], models[pair.second])
        level = (1 + settings.level) / 2
        judged = non_inferiority(gain, sign * between, margin=margin, level=level)
    words = verdict(
        (pair.first, pair.second),
        gain,
        pair.permutation,
        p_holm,
        judged,
        level=settings.level,
    )
    return replace(pair, p_holm=p_holm, non_inferiority=judged, verdict=words)


def _over_repeats(first: _Model, second: _Model) -> WilcoxonTest | Undefined:
    if len(first.repeats) < 2:
        return Undefined("a test over repeats needs two repeats at least", len(first.repeats), 0)
    found = _differences(first.repeats, second.repeats, "repeat")
    return found if isinstance(found, Undefined) else wilcoxon_signed_rank(found)


def _over_folds(first: _Model, second: _Model) -> CorrectedTest | Undefined:
    table = first.statistic.table
    sizes = [(len(table.folds(repeat))) for repeat in table.repeats]
    if min(sizes) < 2:
        return Undefined("one fold has no spread; the test needs a cross-validation", len(table), 0)
    found = _differences(first.folds, second.folds, "fold")
    if isinstance(found, Undefined):
        return found
    return corrected_resampled_t(found, test_over_train=_test_over_train(table))


def _differences(first: list[Result], second: list[Result], of: str) -> list[float] | Undefined:
    """Return first - second; one undefined value makes the test undefined, not a smaller test."""
    found = []
    for number, pair in enumerate(zip(first, second, strict=True)):
        for result in pair:
            if isinstance(result, Undefined):
                reason = f"the metric is not defined in {of} {number}: {result.reason}"
                return Undefined(reason, result.n, result.events)
        found.append(pair[0].value - pair[1].value)  # type: ignore[union-attr]
    return found


def _test_over_train(table: Predictions) -> float:
    """Mean size of a test fold over the mean size of the other folds together."""
    folds = sum(len(table.folds(repeat)) for repeat in table.repeats)
    test = len(table) / folds
    return test / (len(table) / len(table.repeats) - test)
