"""Every pair of compositions in one metric, each test adjusted by Holm for all pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survkit.comparison import CorrectedTest, MetricComparison, holm
from survkit.metrics.estimate import Estimate, Result


def corrected_pairs(compared: MetricComparison) -> list[dict[str, Any]]:
    """Return the pairs as plain data.

    The permutation test asks whether the difference could be chance with these models; the
    corrected t-test over folds asks whether models trained on as many other subjects would show
    it. ``p_holm`` is that of :func:`survkit.compare`.
    """
    tested = [one for one in compared.pairs if isinstance(one.corrected, CorrectedTest)]
    adjusted = holm([one.corrected.p_value for one in tested])  # type: ignore[union-attr]
    by_pair = {(one.first, one.second): p for one, p in zip(tested, adjusted, strict=True)}
    return [
        {
            "first": one.first,
            "second": one.second,
            "difference": one.difference.to_json(),
            "permutation": one.permutation.to_json(),
            "p_holm": one.p_holm,
            "corrected_t": one.corrected.to_json(),
            "corrected_t_p_holm": by_pair.get((one.first, one.second)),
            "verdict": one.verdict,
        }
        for one in compared.pairs
    ]


def differences_to(compared: MetricComparison, reference: str) -> dict[str, dict[str, Any]]:
    """Return by composition how much its value is above that of the reference."""
    found = {}
    for one in compared.pairs:
        if reference in (one.first, one.second):
            other = one.second if one.first == reference else one.first
            turned = one.first == reference
            found[other] = _turned(one.difference) if turned else one.difference.to_json()
    return found


def shown_to_differ(compared: MetricComparison, level: float) -> list[tuple[str, str]]:
    """Return the pairs whose adjusted p-value is at most one minus the level."""
    return [
        (one.first, one.second)
        for one in compared.pairs
        if one.p_holm is not None and one.p_holm <= 1 - level
    ]


def best_of(compared: MetricComparison) -> str | None:
    """Return the composition of the best value, the first of equal ones; ``None`` without any."""
    sign = -1.0 if compared.best == "lowest" else 1.0
    known = {
        name: sign * value.value
        for name, value in compared.values.items()
        if isinstance(value, Estimate)
    }
    return max(known, key=lambda name: known[name]) if known else None


def best_first(compared: MetricComparison) -> list[str]:
    """Return the compositions by their value, those without one last."""
    sign = -1.0 if compared.best == "lowest" else 1.0

    def place(name: str) -> tuple[bool, float]:
        value = compared.values[name]
        return (False, -sign * value.value) if isinstance(value, Estimate) else (True, 0.0)

    return sorted(compared.values, key=place)


def _turned(difference: Result) -> dict[str, Any]:
    """Return second - first as plain data."""
    content: Mapping[str, Any] = difference.to_json()
    if not isinstance(difference, Estimate):
        return dict(content)
    interval = difference.interval
    bounds = None
    if interval is not None:
        bounds = {"lower": -interval.upper, "upper": -interval.lower, "level": interval.level}
    return {**content, "value": -difference.value, "interval": bounds}
