"""Every number about a table of out-of-fold predictions.

- Pooled: all out-of-fold predictions of a repeat together, averaged over repeats, with an interval
  from resampling subjects or from their influence. That is sampling error.
- Per fold: each fold alone; their mean and standard deviation are reported beside the interval and
  never mixed with it.
- Concordances come twice. Risk scores of different folds come from different models and need not
  share a scale, and no interval knows that each fold has a model of its own; so the headlines form
  pairs within folds only.
- Whatever weighs by censoring takes the censoring model from the training subjects of each fold:
  all other folds of the same repeat.
- What cannot be computed is an :class:`Undefined` with its reason, in its place.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Unpack

import numpy as np

from survkit.errors import ConfigError
from survkit.evaluation.answers import Answers
from survkit.evaluation.evaluation import CauseResult, Evaluation
from survkit.evaluation.group_tests import group_tests
from survkit.evaluation.metric_names import METRICS
from survkit.evaluation.observed_groups import (
    calibration_groups,
    first_repeat,
    observed_by_risk_group,
)
from survkit.evaluation.over_time import calibration_curve, over_time
from survkit.evaluation.part import Part, Training
from survkit.evaluation.predictions import Predictions
from survkit.evaluation.questions import Progress, add_intervals
from survkit.evaluation.read_run import check_stated, read_run
from survkit.evaluation.resampling import the_sample, units_of
from survkit.evaluation.scopes import scopes_of
from survkit.evaluation.settings import EvaluateOptions, EvaluateSettings
from survkit.evaluation.training_file import TRAINING_FILE, read_training

__all__ = ["evaluate", "read_run"]


def evaluate(
    predictions: Predictions | str | Path,
    *,
    training: Training | None = None,
    horizon: float | None = None,
    unit: str | None = None,
    progress: Progress | None = None,
    **options: Unpack[EvaluateOptions],
) -> Evaluation:
    """Evaluate out-of-fold predictions.

    Args:
        predictions: The table, its file, or a run folder that holds it; the file may be anybody's,
            see :func:`survkit.evaluation.read_run`.
        training: Training subjects, for a table whose repeats have one fold and so do not hold
            them, or a mapping of them by repeat; metrics that weigh by censoring are undefined
            without. A run folder that needs them holds them.
        horizon: Of a file that does not say it.
        unit: Unit of time of a file that does not say it.
        progress: Is told how many resamples are done, and of how many.
        options: Fields of :class:`survkit.evaluation.settings.EvaluateSettings`: ``replicates``,
            ``level``, ``seed``, ``interval``, ``cluster``.

    Raises:
        DataError: The table is missing or impossible, or has too few sites or groups.
        ConfigError: A setting is out of range, or says what the table says otherwise.
    """
    settings = EvaluateSettings(**options)
    if isinstance(predictions, Predictions):
        table = predictions
        check_stated(table, horizon, unit, where="the table")
    else:
        table = read_run(predictions, horizon=horizon, unit=unit)
        training = training or _training_of(Path(predictions), table)
    if training and all(len(table.folds(repeat)) > 1 for repeat in table.repeats):
        raise ConfigError(
            "training subjects are given, but the table has several folds and so holds those of "
            "each; leave them out"
        )
    if settings.cluster is None:
        settings = replace(settings, cluster="subject" if table.group is None else "group")
    units = units_of(table, settings.cluster or "subject")
    answers = Answers(units, settings)
    everything = Part(
        predictions=table,
        rows=np.arange(len(table)),
        counts=the_sample(units),
        cause=1,
        training=training,
    )
    causes = {}
    for code, name in enumerate(table.causes, start=1):
        part = replace(everything, cause=code)
        causes[name] = _cause(part, answers, _of_several(progress, code, len(table.causes)))
    return Evaluation(facts=_facts(table), settings=settings.to_json(), causes=causes)


def _training_of(run: Path, table: Predictions) -> Training | None:
    """Return the training subjects that a run folder holds beside its predictions."""
    file = run / TRAINING_FILE
    return read_training(file, causes=len(table.causes)) if file.is_file() else None


def _cause(everything: Part, answers: Answers, progress: Progress | None) -> CauseResult:
    table, cause = everything.predictions, everything.cause
    level = answers.settings.level
    once = first_repeat(table)
    own = once.event == cause
    scopes = scopes_of(everything)
    add_intervals(scopes.with_intervals, answers.units, answers.settings, progress)
    return CauseResult(
        events=int(own.sum()),
        events_by_horizon=int((own & (once.duration <= table.horizon)).sum()),
        metrics={item.key: scopes.metric(item.key, answers) for item in METRICS},
        risk_groups=observed_by_risk_group(table, cause=cause, level=level),
        calibration=calibration_groups(table, cause=cause, level=level),
        calibration_curve=calibration_curve(scopes.pooled, answers),
        over_time=over_time(scopes.pooled, answers),
        tests=group_tests(table, cause=cause),
    )


def _of_several(progress: Progress | None, cause: int, causes: int) -> Progress | None:
    """Let progress count the resamples of all causes together."""
    if progress is None:
        return None
    return lambda done, total: progress((cause - 1) * total + done, causes * total)


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
        "groups": table.groups,
        "strata": 0 if table.strata is None else len(np.unique(table.strata)),
        "largest_duration": float(once.duration.max()),
    }
