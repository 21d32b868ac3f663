"""Is one model better than another, on out-of-fold predictions of the same subjects?

Each test answers its own question:

- Permutation: could the difference be chance, if it did not matter which of a subject's two
  predictions came from which model? Its p-value is adjusted for the number of pairs, and the
  verdict uses it.
- Interval: how far would the difference move with other subjects, the models staying as they are?
- Wilcoxon over repeats: is the difference the same for every division and seed of these subjects?
- Corrected t over folds: would models trained on as many other subjects show it?
- Non-inferiority: is the model at most a stated margin worse than the reference?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import torch
from torch import Tensor

from survkit.comparison.comparable_metrics import DEFAULT_METRICS, metric_keys
from survkit.comparison.compare_metric import Pair, compare_metric
from survkit.comparison.comparison import Comparison
from survkit.comparison.matching import matched
from survkit.comparison.settings import CompareOptions, CompareSettings, Unit
from survkit.comparison.table_statistic import TableStatistic
from survkit.errors import ConfigError, DataError
from survkit.evaluation.evaluate import read_run
from survkit.evaluation.predictions import Predictions
from survkit.flow import SurvivalTarget
from survkit.suggest import did_you_mean


def compare(
    predictions: Mapping[str, Predictions | str | Path],
    *,
    metric: str | Sequence[str] = DEFAULT_METRICS,
    cause: str | None = None,
    reference: str | None = None,
    margin: float | None = None,
    training: SurvivalTarget | None = None,
    **options: Unpack[CompareOptions],
) -> Comparison:
    """Compare models on out-of-fold predictions of the same subjects.

    Args:
        predictions: By name of the model: a table, its file, or a run folder that holds it.
        metric: One or more, by key or as ``"harrell"``, ``"antolini"``, ``"brier"``, ``"ibs"``; by
            default Harrell's concordance and Antolini's C-td, both of pairs within folds, and the
            integrated Brier score.
        cause: Name of the cause; the first where ``None``.
        reference: The model that all others are compared with; every pair is where ``None``.
        margin: How much worse than the reference still counts as not worse, in the unit of the
            metric, of which there must then be one.
        training: Training subjects of tables of one fold, for their Brier scores.
        options: Fields of :class:`survkit.comparison.settings.CompareSettings`:
            ``permutations``, ``replicates``, ``level``, ``seed``, ``exchange``, ``unit``.

    Raises:
        DataError: A table is missing, impossible, or not of the same subjects, outcomes and folds.
        ConfigError: A name or setting is unknown or out of range.
    """
    settings = CompareSettings(**options)
    keys = metric_keys(metric)
    _check_margin(margin, reference, keys, settings)
    read = {name: _read(table) for name, table in predictions.items()}
    tables = matched(read)
    pairs = _pairs(tuple(tables), reference)
    table = next(iter(tables.values()))
    code = _cause(table, cause)
    settings, clusters = _units(tables, settings)
    found = {}
    for key in keys:
        statistics = {
            name: TableStatistic(table=one, key=key, cause=code, training=training)
            for name, one in tables.items()
        }
        found[key] = compare_metric(
            statistics, pairs, clusters=clusters, margin=margin, settings=settings
        )
    once = np.unique(table.subject, return_index=True)[1]
    return Comparison(
        facts=_facts(read, table, code),
        settings=settings.to_json() | {"reference": reference, "margin": margin},
        metrics=found,
        subject=table.subject[once],
        duration=table.duration[once],
        event=table.event[once],
    )


def _read(table: Predictions | str | Path) -> Predictions:
    return table if isinstance(table, Predictions) else read_run(Path(table))


def _pairs(names: tuple[str, ...], reference: str | None) -> list[Pair]:
    if reference is None:
        return list(combinations(names, 2))
    if reference not in names:
        raise ConfigError(f"no model is named {reference!r}. {did_you_mean(reference, names)}")
    return [(name, reference) for name in names if name != reference]


def _check_margin(
    margin: float | None, reference: str | None, keys: tuple[str, ...], settings: CompareSettings
) -> None:
    if margin is None:
        return
    if not 0 < margin < float("inf"):
        raise ConfigError(f"margin must be a positive number, not {margin}")
    if reference is None:
        raise ConfigError("a margin says how much worse than what: name the reference too")
    if len(keys) != 1:
        raise ConfigError(
            f"a margin of {margin:g} means something else in each metric; name the one it is "
            f"stated in, not {', '.join(keys)}"
        )
    if not settings.replicates:
        raise ConfigError("non-inferiority is judged by the paired bootstrap; replicates is 0")


def _cause(table: Predictions, cause: str | None) -> int:
    if cause is None:
        return 1
    if cause not in table.causes:
        raise ConfigError(f"no cause is named {cause!r}. {did_you_mean(cause, table.causes)}")
    return table.causes.index(cause) + 1


def _units(
    tables: Mapping[str, Predictions], settings: CompareSettings
) -> tuple[CompareSettings, Tensor | None]:
    """Return the settings with their unit, and which one each subject belongs to."""
    first = next(iter(tables.values()))
    grouped = next((one for one in tables.values() if one.group is not None), first)
    unit: Unit = settings.unit or ("subject" if grouped.group is None else "group")
    source = grouped if unit == "group" else first
    clusters = None if unit == "subject" else _clusters(source, unit)
    return replace(settings, unit=unit), clusters


def _clusters(table: Predictions, unit: Unit) -> Tensor:
    """Return the site or group of each subject as a code; int64 (subject), subjects sorted."""
    names = getattr(table, unit)
    there = 0 if names is None else len(np.unique(names))
    if there < 2:
        raise DataError(
            f"whole {unit}s are swapped and resampled only where the tables have a column {unit} "
            f"with two {unit}s at least, not {there}; leave out the unit"
        )
    once = np.unique(table.subject, return_index=True)[1]
    codes = np.unique(names, return_inverse=True)[1]
    return torch.from_numpy(codes[once].astype(np.int64))


def _facts(read: Mapping[str, Predictions], table: Predictions, cause: int) -> dict[str, Any]:
    once = np.unique(table.subject, return_index=True)[1]
    own = table.event[once] == cause
    return {
        "models": {
            name: {"model": one.model, "predictions": one.fingerprint(), "run_seed": one.seed}
            for name, one in read.items()
        },
        "cause": table.causes[cause - 1],
        "causes": list(table.causes),
        "splits_hash": table.splits_hash,
        "time_unit": table.time_unit,
        "horizon": table.horizon,
        "subjects": table.subjects,
        "events": int(own.sum()),
        "events_by_horizon": int((own & (table.duration[once] <= table.horizon)).sum()),
        "repeats": len(table.repeats),
        "folds": max(len(table.folds(repeat)) for repeat in table.repeats),
    }
