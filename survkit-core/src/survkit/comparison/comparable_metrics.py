"""Which metrics of an evaluation can be compared between models, and how they may be called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from survkit.errors import ConfigError
from survkit.evaluation.brier_statistics import brier_at_horizon, integrated_brier
from survkit.evaluation.metric_names import (
    ANTOLINI,
    ANTOLINI_ALL,
    BRIER,
    HARRELL,
    HARRELL_ALL,
    INTEGRATED_BRIER,
    METRICS,
    MetricName,
)
from survkit.evaluation.pair_statistics import (
    antolini_all_pairs,
    antolini_within_folds,
    harrell_all_pairs,
    harrell_within_folds,
)
from survkit.evaluation.part import Statistic
from survkit.suggest import did_you_mean

DEFAULT_METRICS = (HARRELL, ANTOLINI, INTEGRATED_BRIER)
"""The first is the headline. Pairs are within folds: no interval knows that each fold has
a model of its own, so those over all pairs are too narrow."""


class Comparable(NamedTuple):
    """How a metric is computed: from which predictions, and on which pairs."""

    statistic: Statistic
    kind: Literal["harrell", "antolini", "brier", "integrated brier"]
    within_folds: bool


COMPARABLE = {
    HARRELL: Comparable(harrell_within_folds, "harrell", True),
    HARRELL_ALL: Comparable(harrell_all_pairs, "harrell", False),
    ANTOLINI: Comparable(antolini_within_folds, "antolini", True),
    ANTOLINI_ALL: Comparable(antolini_all_pairs, "antolini", False),
    BRIER: Comparable(brier_at_horizon, "brier", True),
    INTEGRATED_BRIER: Comparable(integrated_brier, "integrated brier", True),
}
"""By key. Observed / expected is not among them: neither more nor less of it is better."""

_SHORT = {"harrell": HARRELL, "antolini": ANTOLINI, "brier": BRIER, "ibs": INTEGRATED_BRIER}


def metric_keys(asked: str | Sequence[str]) -> tuple[str, ...]:
    """Return the keys of the metrics asked for by key or short name, each once.

    Raises:
        ConfigError: There is none of that name, or none was asked.
    """
    names = [asked] if isinstance(asked, str) else list(asked)
    if not names:
        raise ConfigError("a comparison needs a metric at least")
    keys = []
    for name in names:
        key = _SHORT.get(name, name)
        if key not in COMPARABLE:
            known = (*_SHORT, *COMPARABLE)
            raise ConfigError(
                f"no metric to compare by is named {name!r}. {did_you_mean(name, known)}"
            )
        keys.append(key)
    return tuple(dict.fromkeys(keys))


def metric_name(key: str) -> MetricName:
    """Return how the metric is spoken of."""
    return next(item for item in METRICS if item.key == key)
