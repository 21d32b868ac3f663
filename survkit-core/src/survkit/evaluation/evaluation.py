"""What an evaluation found, and its file ``metrics.json``."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_atomically
from survkit.errors import DataError
from survkit.evaluation.metric_names import METRICS
from survkit.metrics.estimate import Estimate, Result

FORMAT = 1
"""Version of ``metrics.json``. Keys may be added under one version, not renamed or removed."""


@dataclass(frozen=True, slots=True)
class FoldResult:
    """A metric of one fold of one repeat."""

    repeat: int
    fold: int
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """One metric of one cause.

    Sampling error is the interval of ``pooled``; the spread across folds and repeats is kept apart.

    Attributes:
        pooled: All out-of-fold predictions of a repeat together, averaged over repeats.
        repeats: The pooled value of each repeat.
        folds: Each fold alone.
        sites: Each site's subjects alone, averaged over repeats.
    """

    pooled: Result
    repeats: tuple[Result, ...]
    folds: tuple[FoldResult, ...]
    sites: Mapping[str, Result]

    @property
    def fold_values(self) -> list[float]:
        """Values of the folds where the metric is defined."""
        return [item.result.value for item in self.folds if isinstance(item.result, Estimate)]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts."""
        repeats = [item.value for item in self.repeats if isinstance(item, Estimate)]
        return {
            "pooled": self.pooled.to_json(),
            "across_folds": _spread(self.fold_values, of=len(self.folds)),
            "across_repeats": _spread(repeats, of=len(self.repeats)),
            "folds": [
                {"repeat": item.repeat, "fold": item.fold} | item.result.to_json()
                for item in self.folds
            ],
            "sites": {name: result.to_json() for name, result in self.sites.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseResult:
    """Everything about one cause of the event.

    Attributes:
        events: Number of events of the cause, and how many of them by the horizon.
        metrics: By the keys of :mod:`survkit.evaluation.metric_names`, in their order.
        risk_groups: Observed incidence by the horizon by group of predicted risk, low to high.
        calibration: Mean predicted and observed incidence by the horizon, by group of prediction;
            empty without predicted probabilities.
        calibration_curve: Predicted and smoothed observed incidence at the horizon with bounds, or
            the reason why there is none.
        over_time: AUC and Brier score at times up to the horizon, each with its ``time``.
        tests: ``log_rank`` of the risk groups and ``d_calibration``.
    """

    events: int
    events_by_horizon: int
    metrics: Mapping[str, MetricResult]
    risk_groups: tuple[Mapping[str, Any], ...]
    calibration: tuple[Mapping[str, Any], ...]
    calibration_curve: Mapping[str, Any]
    over_time: Mapping[str, Sequence[Mapping[str, Any]]]
    tests: Mapping[str, Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts."""
        return {
            "events": self.events,
            "events_by_horizon": self.events_by_horizon,
            "metrics": {name: result.to_json() for name, result in self.metrics.items()},
            "risk_groups": [dict(group) for group in self.risk_groups],
            "calibration": [dict(group) for group in self.calibration],
            "calibration_curve": dict(self.calibration_curve),
            "over_time": {
                key: [dict(one) for one in results] for key, results in self.over_time.items()
            },
            "tests": {name: dict(test) for name, test in self.tests.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All numbers about one table of predictions.

    Attributes:
        facts: About the table: model, causes, subjects, folds, horizon and the like.
        settings: How intervals were made: replicates, level, seed, interval, cluster.
        causes: By name of the cause.
    """

    facts: Mapping[str, Any]
    settings: Mapping[str, Any]
    causes: Mapping[str, CauseResult]

    def metric(self, name: str, cause: str | None = None) -> MetricResult:
        """Return one metric; of the first cause where none is named.

        Raises:
            DataError: There is no such cause or metric.
        """
        asked = next(iter(self.causes)) if cause is None else cause
        if asked not in self.causes:
            raise DataError(f"no cause is named {asked!r}; there are {', '.join(self.causes)}")
        found = self.causes[asked].metrics
        if name not in found:
            raise DataError(f"no metric is named {name!r}; there are {', '.join(found)}")
        return found[name]

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``metrics.json``."""
        return {
            "format": FORMAT,
            **self.facts,
            "settings": dict(self.settings),
            "causes": {name: cause.to_json() for name, cause in self.causes.items()},
        }

    def write(self, path: str | Path) -> Path:
        """Write ``metrics.json``, whole or not at all."""
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return write_atomically(Path(path), lambda file: file.write_text(text, encoding="utf-8"))


def holds_every_metric(content: Mapping[str, Any]) -> bool:
    """Say whether the content of a ``metrics.json`` holds all that this version writes."""
    needed = {item.key for item in METRICS}
    return all(
        needed <= set(cause.get("metrics", {})) and {"tests", "over_time"} <= set(cause)
        for cause in content.get("causes", {}).values()
    )


def _spread(values: list[float], *, of: int) -> dict[str, Any]:
    """Mean and standard deviation of the defined values; null where there are too few."""
    return {
        "mean": statistics.fmean(values) if values else None,
        "sd": statistics.stdev(values) if len(values) > 1 else None,
        "defined": len(values),
        "of": of,
    }
