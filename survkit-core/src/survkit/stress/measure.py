"""From predicted tables to the numbers of ``stress.json``.

``noisy`` is the mean over seeds of the metric when a share of the subjects is corrupted. Every
interval is from the same resamples of subjects, clean and corrupted alike, and knows nothing of
the seeds, whose values stand beside it. Degradation is the share of what can be lost that is lost:
``(clean - noisy) / (clean - chance)``, or ``(noisy - clean) / clean`` of an error, which has no
chance value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from survkit.evaluation import Predictions
from survkit.metrics.estimate import Undefined
from survkit.stress.chance import chosen
from survkit.stress.predict_fold import seeds_of, table_key
from survkit.stress.predicted import Predicted
from survkit.stress.scenario import Scenario
from survkit.stress.settings import StressSettings
from survkit.stress.yardstick import Values, Yardstick, log_rank_json, log_rank_of_groups


def mixed(
    clean: Predictions, noisy: Predictions, rows: np.ndarray[Any, np.dtype[np.bool_]]
) -> Predictions:
    """Return the clean table with the predictions of some rows taken from the noisy one."""
    incidence = np.asarray(clean.cumulative_incidence)
    return replace(
        clean,
        cumulative_incidence=np.where(
            rows[:, None, None], np.asarray(noisy.cumulative_incidence), incidence
        ),
        risk_score=np.where(rows[:, None], noisy.risk_score, clean.risk_score),
    )


def degradation(clean: Values, noisy: Values, gauge: Yardstick) -> Values:
    """Return the relative loss in the sample and in every resample; NaN in resamples in which
    there is nothing to lose.
    """
    if isinstance(clean, Undefined):
        return clean
    if isinstance(noisy, Undefined):
        return noisy
    floor, sign = gauge.floor, 1 if gauge.metric.best == "highest" else -1
    whole = clean - floor
    if float(whole[0]) <= 0:
        return Undefined(
            f"the clean {gauge.metric.label} of {float(clean[0]):.3f} is not better than chance, "
            "so there is nothing to lose",
            0,
            0,
        )
    return torch.where(whole > 0, sign * (clean - noisy) / whole, float("nan"))


def scenario_json(
    scenario: Scenario,
    predicted: Predicted,
    gauge: Yardstick,
    settings: StressSettings,
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Return one entry of ``corruptions``."""
    seeds = range(settings.seeds)
    entry: dict[str, Any] = {
        "name": scenario.name,
        "modality": scenario.modality,
        "severity": scenario.severity,
        "label": scenario.label,
        "settings": scenario.settings,
        "stochastic": scenario.stochastic,
        "kept": predicted.kept.get(scenario.key, 0) // len(predicted.clean.repeats),
    }
    reason = predicted.failed.get(scenario.key)
    tables = {
        seed: predicted.corrupted[table_key(scenario, used[0] if len(used) == 1 else seed)]
        for used in [seeds_of(scenario, seeds)]
        for seed in seeds
        if reason is None
    }
    rows, kept_shares = [], []
    for fraction in settings.fractions:
        row, share = (
            _fraction(fraction, predicted.clean, tables, gauge)
            if reason is None
            else _without(fraction, predicted.clean, gauge, reason)
        )
        rows.append(row)
        kept_shares.append(share)
        advance(1)
    entry["fractions"] = rows
    entry["robustness_area"] = _area(kept_shares, predicted.clean, gauge, settings)
    return entry


def _fraction(
    fraction: float, clean: Predictions, tables: Mapping[int, Predictions], gauge: Yardstick
) -> tuple[dict[str, Any], Values]:
    """Return the numbers at one share of corrupted subjects, and the retained performance."""
    words, baseline = gauge.metric.label, gauge.values(clean)
    mixtures = [
        mixed(clean, table, chosen(clean, fraction, seed)) for seed, table in tables.items()
    ]
    values = [gauge.values(table) for table in mixtures]
    noisy = _mean(values)
    lost = degradation(baseline, noisy, gauge)
    seeds = f"; mean of {len(values)} seeds" if len(values) > 1 else ""
    row = numbers_json(
        clean, (baseline, noisy), gauge, words=f"{words}, {fraction:.0%} corrupted{seeds}"
    )
    row |= {
        "fraction": float(fraction),
        "log_rank_p": log_rank_json([log_rank_of_groups(each, gauge.cause) for each in mixtures]),
        "seeds": [None if isinstance(each, Undefined) else float(each[0]) for each in values],
    }
    return row, lost if isinstance(lost, Undefined) else 1 - lost


def numbers_json(
    table: Predictions,
    values: tuple[Values, Values],
    gauge: Yardstick,
    *,
    words: str,
    rows: np.ndarray[Any, np.dtype[np.bool_]] | None = None,
) -> dict[str, Any]:
    """Return clean, noisy, their difference and the degradation, each a result."""
    clean, noisy = values
    lost, difference = degradation(clean, noisy, gauge), _difference(clean, noisy)
    if isinstance(lost, Undefined):
        lost = gauge.undefined(table, lost.reason)
    relative = f"(clean - noisy) / (clean - {gauge.floor:g})"
    if gauge.metric.best == "lowest":
        relative = "(noisy - clean) / clean"
    named: dict[str, tuple[Values, str]] = {
        "clean": (clean, gauge.metric.label),
        "noisy": (noisy, words),
        "difference": (difference, f"clean - noisy, {words}"),
        "degradation": (lost, f"{relative}, {words}"),
    }
    return {
        name: gauge.result(each, table, method=method, rows=rows).to_json()
        for name, (each, method) in named.items()
    }


def _without(
    fraction: float, clean: Predictions, gauge: Yardstick, reason: str
) -> tuple[dict[str, Any], Values]:
    """Return the numbers of a scenario that could not be predicted: only the clean one is known."""
    missing = gauge.undefined(clean, reason)
    row = numbers_json(clean, (gauge.values(clean), missing), gauge, words="")
    return (
        row | {"fraction": float(fraction), "log_rank_p": missing.to_json(), "seeds": []},
        missing,
    )


def _difference(clean: Values, noisy: Values) -> Values:
    if isinstance(clean, Undefined):
        return clean
    return noisy if isinstance(noisy, Undefined) else clean - noisy


def _mean(values: Sequence[Values]) -> Values:
    for each in values:
        if isinstance(each, Undefined):
            return each
    stacked = torch.stack([each for each in values if isinstance(each, Tensor)])
    return stacked[0] + (stacked - stacked[0]).mean(dim=0)  # equal values have exactly their mean


def _area(
    shares: Sequence[Values], clean: Predictions, gauge: Yardstick, settings: StressSettings
) -> dict[str, Any]:
    """Return the mean over fractions of the retained share of the performance above chance."""
    first, last = settings.fractions[0], settings.fractions[-1]
    mean = _mean(shares)
    floor = gauge.floor
    if gauge.metric.chance is None or gauge.metric.best != "highest":
        mean = gauge.undefined(
            clean, f"a share above chance is retained, but {gauge.metric.label} has no chance value"
        )
    elif len(shares) < 2:
        mean = gauge.undefined(clean, "an area needs two fractions at least")
    if isinstance(mean, Undefined):
        return gauge.undefined(clean, mean.reason).to_json()
    stacked = torch.stack([each for each in shares if isinstance(each, Tensor)])
    steps = torch.tensor([float(each) for each in settings.fractions], dtype=torch.float64)
    area = torch.trapezoid(stacked, steps, dim=0) / (last - first)
    method = (
        f"mean over fractions {first:g} to {last:g} of (noisy - {floor:g}) / (clean - {floor:g})"
    )
    return gauge.result(area, clean, method=method).to_json()
