"""Every number about a table of out-of-fold predictions.

- Pooled: all out-of-fold predictions of a repeat together, averaged over repeats, with a
  percentile interval from a bootstrap over subjects. That is sampling error.
- Per fold: each fold alone; their mean and standard deviation are reported beside the interval and
  never mixed with it.
- Concordances come twice. Risk scores of different folds come from different models and need not
  share a scale, and no interval knows that each fold has a model of its own; so the headlines form
  pairs within folds only.
- Brier scores take the censoring model from the training subjects of each fold: all other folds of
  the same repeat.
- What cannot be computed is an :class:`Undefined` with its reason, in its place.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from survkit.errors import ConfigError, DataError
from survkit.evaluation.brier_statistics import brier_at_horizon, integrated_brier
from survkit.evaluation.evaluation import CauseResult, Evaluation, FoldResult, MetricResult
from survkit.evaluation.metric_names import (
    ANTOLINI,
    BRIER,
    HARRELL,
    INTEGRATED_BRIER,
    METRICS,
    OBSERVED_EXPECTED,
)
from survkit.evaluation.observed_expected import observed_over_expected
from survkit.evaluation.observed_groups import (
    calibration_groups,
    first_repeat,
    observed_by_risk_group,
)
from survkit.evaluation.pair_statistics import (
    antolini_all_pairs,
    antolini_within_folds,
    harrell_all_pairs,
    harrell_within_folds,
)
from survkit.evaluation.part import Part
from survkit.evaluation.predictions import Predictions
from survkit.evaluation.resampling import resample_counts
from survkit.evaluation.summarise import Statistic, summarise
from survkit.flow import SurvivalTarget

PREDICTIONS_FILE = "predictions.parquet"

_STATISTICS: dict[str, Statistic] = {
    HARRELL: harrell_within_folds,
    ANTOLINI: antolini_all_pairs,
    "harrell_concordance_all_pairs": harrell_all_pairs,
    "antolini_concordance_within_folds": antolini_within_folds,
    BRIER: brier_at_horizon,
    INTEGRATED_BRIER: integrated_brier,
    OBSERVED_EXPECTED: observed_over_expected,
}


def evaluate(
    predictions: Predictions | str | Path,
    *,
    replicates: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    training: SurvivalTarget | None = None,
) -> Evaluation:
    """Evaluate out-of-fold predictions.

    Args:
        predictions: The table, its file, or a run folder that holds it.
        replicates: Bootstrap resamples; 0 for no intervals.
        level: Coverage of the intervals.
        seed: Seed of the resamples.
        training: Training subjects, for a table of one fold that does not hold them; the Brier
            scores are undefined without.

    Raises:
        DataError: The table is missing or impossible.
        ConfigError: A setting is out of range.
    """
    if replicates < 0 or not 0 < level < 1:
        raise ConfigError(
            f"replicates must be >= 0 and level between 0 and 1, not {replicates} and {level}"
        )
    table = predictions if isinstance(predictions, Predictions) else read_run(Path(predictions))
    counts = resample_counts(table, replicates=replicates, seed=seed)
    everything = Part(
        predictions=table,
        rows=np.arange(len(table)),
        counts=counts,
        cause=1,
        training=training,
    )
    causes = {
        name: _cause(replace(everything, cause=code), level)
        for code, name in enumerate(table.causes, start=1)
    }
    settings = {"replicates": replicates, "level": level, "seed": seed}
    return Evaluation(facts=_facts(table), settings=settings, causes=causes)


def read_run(path: Path) -> Predictions:
    """Read a predictions table from its file or from the run folder that holds it.

    Raises:
        DataError: There is none, or it is impossible.
    """
    if path.is_dir() and not (path / PREDICTIONS_FILE).is_file():
        raise DataError(f"{path} has no {PREDICTIONS_FILE}; give a run folder that has finished")
    return Predictions.read(path / PREDICTIONS_FILE if path.is_dir() else path)


def _cause(everything: Part, level: float) -> CauseResult:
    table, cause = everything.predictions, everything.cause
    once = first_repeat(table)
    own = once.event == cause
    metrics = {item.key: _metric(item.key, item.label, everything, level) for item in METRICS}
    return CauseResult(
        events=int(own.sum()),
        events_by_horizon=int((own & (once.duration <= table.horizon)).sum()),
        metrics=metrics,
        risk_groups=observed_by_risk_group(table, cause=cause, level=level),
        calibration=calibration_groups(table, cause=cause, level=level),
    )


def _metric(key: str, label: str, everything: Part, level: float) -> MetricResult:
    statistic = _STATISTICS[key]
    table = everything.predictions
    repeats = [
        replace(everything, rows=np.flatnonzero(table.repeat == number)) for number in table.repeats
    ]
    point = [replace(part, counts=part.counts[:1]) for part in repeats]
    sites = {
        name: [of_site for part in repeats if len((of_site := _of_site(part, name)).rows)]
        for name in table.sites
    }
    return MetricResult(
        pooled=summarise(statistic, repeats, level=level, method=label),
        repeats=tuple(summarise(statistic, [part], level=level, method=label) for part in point),
        folds=tuple(
            FoldResult(repeat, int(table.fold[fold.rows[0]]), result)
            for repeat, part in zip(table.repeats, repeats, strict=True)
            for fold in part.folds()
            for result in [summarise(statistic, [fold], level=level, method=label)]
        ),
        sites={
            name: summarise(statistic, parts, level=level, method=label)
            for name, parts in sites.items()
        },
    )


def _of_site(part: Part, name: str) -> Part:
    site = part.predictions.site
    return part if site is None else replace(part, rows=part.rows[site[part.rows] == name])


def _facts(table: Predictions) -> dict[str, object]:
    once = first_repeat(table)
    return {
        "model": table.model,
        "predictions": table.fingerprint(),
        "splits_hash": table.splits_hash,
        "run_seed": table.seed,
        "time_unit": table.time_unit,
        "horizon": table.horizon,
        "time_grid": table.time_grid.tolist(),
        "subjects": table.subjects,
        "censored": int((once.event == 0).sum()),
        "repeats": len(table.repeats),
        "folds": max(len(table.folds(repeat)) for repeat in table.repeats),
        "sites": list(table.sites),
        "strata": 0 if table.strata is None else len(np.unique(table.strata)),
        "largest_duration": float(once.duration.max()),
    }
