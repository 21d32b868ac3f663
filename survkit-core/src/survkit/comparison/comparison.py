"""What a comparison found, and its files ``comparison.json`` and ``comparison.csv``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from survkit.atomic_write import write_bytes
from survkit.comparison.corrected_resampled import CorrectedTest
from survkit.comparison.non_inferiority import NonInferiority
from survkit.comparison.permutation import PermutationTest
from survkit.comparison.wilcoxon import WilcoxonTest
from survkit.errors import DataError
from survkit.evaluation.predictions import Floats, Integers, Texts
from survkit.metrics.estimate import Result, Undefined

FORMAT = 1
"""Version of ``comparison.json``. Keys may be added under one version, not renamed or removed."""

MOST_SHOWN = 10
"""How many of the subjects that make a difference are written out."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PairComparison:
    """Two models in one metric; differences are first - second.

    Attributes:
        first: Name of the one model.
        second: Name of the other, the reference where there is one.
        difference: With its paired bootstrap interval.
        permutation: Paired permutation test by subject.
        p_holm: Its p-value adjusted for all pairs of this metric; ``None`` where it is undefined.
        wilcoxon: Signed-rank test over repeats.
        corrected: Corrected t-test over folds of all repeats.
        non_inferiority: Of the first to the second, where a margin was given.
        shares: Each subject's share of the difference; float64 (subject), empty where undefined.
        verdict: What may be said, in words.
    """

    first: str
    second: str
    difference: Result
    permutation: PermutationTest | Undefined
    p_holm: float | None
    wilcoxon: WilcoxonTest | Undefined
    corrected: CorrectedTest | Undefined
    non_inferiority: NonInferiority | Undefined | None
    shares: Floats
    verdict: str


@dataclass(frozen=True, eq=False, kw_only=True)
class MetricComparison:
    """All models in one metric.

    Attributes:
        label: Name of the metric in tables.
        best: Whether the highest or the lowest value is best.
        values: By model, as an evaluation gives them, without interval.
        pairs: Every pair, or every model with the reference.
    """

    label: str
    best: Literal["highest", "lowest", "one"]
    values: Mapping[str, Result]
    pairs: tuple[PairComparison, ...]

    def pair(self, first: str, second: str) -> PairComparison:
        """Return the comparison first - second.

        Raises:
            DataError: It was not made, or the other way round.
        """
        for found in self.pairs:
            if (found.first, found.second) == (first, second):
                return found
        made = ", ".join(f"{each.first} - {each.second}" for each in self.pairs)
        raise DataError(f"{first} - {second} was not compared; there is {made}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """Models compared on the same subjects.

    Attributes:
        facts: About the tables: models, cause, horizon, subjects, folds and the like.
        settings: Of tests and intervals.
        metrics: By key, the headline first.
        subject: Subjects in sorted order; str (subject).
        duration: Of each subject; float64 (subject).
        event: Of each subject; int64 (subject).
    """

    facts: Mapping[str, Any]
    settings: Mapping[str, Any]
    metrics: Mapping[str, MetricComparison]
    subject: Texts
    duration: Floats
    event: Integers

    def influential(self, pair: PairComparison, most: int = MOST_SHOWN) -> list[dict[str, Any]]:
        """Return the subjects that make the difference, largest share first.

        ``share`` is signed: shares of all subjects sum to the difference.
        """
        order = np.argsort(-np.abs(pair.shares), kind="stable")[:most]
        return [
            {
                "subject": str(self.subject[row]),
                "share": float(pair.shares[row]),
                "duration": float(self.duration[row]),
                "event": int(self.event[row]),
            }
            for row in order.tolist()
            if pair.shares[row] != 0
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``comparison.json``."""
        return {
            "format": FORMAT,
            **self.facts,
            "settings": dict(self.settings),
            "metrics": {key: self._metric(found) for key, found in self.metrics.items()},
        }

    def to_csv(self) -> str:
        """Return one row per metric and pair; what is undefined is empty."""
        text = io.StringIO()
        rows = [
            _row(key, metric, pair) for key, metric in self.metrics.items() for pair in metric.pairs
        ]
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def write(self, folder: str | Path) -> tuple[Path, Path]:
        """Write ``comparison.json`` and ``comparison.csv``, each whole or not at all.

        Raises:
            DataError: The folder cannot be made or written to.
        """
        place = Path(folder)
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{place}: no such folder can be made: {error.strerror}") from error
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return (
            write_bytes(place / "comparison.json", text.encode()),
            write_bytes(place / "comparison.csv", self.to_csv().encode()),
        )

    def _metric(self, metric: MetricComparison) -> dict[str, Any]:
        return {
            "label": metric.label,
            "best": metric.best,
            "values": {name: value.to_json() for name, value in metric.values.items()},
            "pairs": [self._pair(pair) for pair in metric.pairs],
        }

    def _pair(self, pair: PairComparison) -> dict[str, Any]:
        judged = pair.non_inferiority
        return {
            "first": pair.first,
            "second": pair.second,
            "difference": pair.difference.to_json(),
            "permutation": pair.permutation.to_json(),
            "p_holm": pair.p_holm,
            "wilcoxon": pair.wilcoxon.to_json(),
            "corrected_t": pair.corrected.to_json(),
            "non_inferiority": None if judged is None else judged.to_json(),
            "verdict": pair.verdict,
            "influential": self.influential(pair),
        }


def _row(key: str, metric: MetricComparison, pair: PairComparison) -> dict[str, Any]:
    def of(found: object, *names: str) -> Any:
        for name in names:
            found = getattr(found, name, None)
        return found

    return {
        "metric": key,
        "first": pair.first,
        "second": pair.second,
        "value_first": of(metric.values[pair.first], "value"),
        "value_second": of(metric.values[pair.second], "value"),
        "difference": of(pair.difference, "value"),
        "lower": of(pair.difference, "interval", "lower"),
        "upper": of(pair.difference, "interval", "upper"),
        "permutation_p": of(pair.permutation, "p_value"),
        "permutation_p_holm": pair.p_holm,
        "null_sd": of(pair.permutation, "null_sd"),
        "wilcoxon_w": of(pair.wilcoxon, "statistic"),
        "wilcoxon_p": of(pair.wilcoxon, "p_value"),
        "wilcoxon_r": of(pair.wilcoxon, "effect_size"),
        "corrected_t": of(pair.corrected, "statistic"),
        "corrected_t_p": of(pair.corrected, "p_value"),
        "non_inferiority_bound": of(pair.non_inferiority, "bound"),
        "non_inferiority_p": of(pair.non_inferiority, "p_value"),
        "non_inferior": of(pair.non_inferiority, "shown"),
        "verdict": pair.verdict,
    }
