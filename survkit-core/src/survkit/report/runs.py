"""Further runs of the same subjects: their results, and whether the differences are more than
chance.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.comparison import compare
from survkit.errors import ConfigError, RunError
from survkit.evaluation.evaluate import evaluate, read_run
from survkit.evaluation.evaluation import FORMAT, holds_every_metric
from survkit.evaluation.predictions import Predictions
from survkit.report.numbers import METRICS_FILE
from survkit.report.run_facts import RunFacts, read_run_facts

DOCUMENT = "comparison.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that has been evaluated.

    Attributes:
        name: How the page calls it.
        predictions: Its table.
        metrics: Content of its ``metrics.json``.
        facts: What its folder says about it; nothing for a bare table.
    """

    name: str
    predictions: Predictions
    metrics: dict[str, Any]
    facts: RunFacts


def read_other(name: str, path: Path, settings: Mapping[str, Any]) -> Run:
    """Read a further run and its numbers; evaluate it where they are not there, or where their
    intervals were made in another way than those beside which they are shown.

    Args:
        name: How the page calls it.
        path: A run folder or a table.
        settings: Of the evaluation of the first run.

    Raises:
        DataError: Its predictions are missing or impossible.
        RunError: A file of it is damaged.
    """
    predictions = read_run(path)
    folder = path if path.is_dir() else None
    metrics = None if folder is None else stored_metrics(folder, predictions)
    if metrics is None or metrics["settings"] != settings:
        metrics = evaluate(path, **settings).to_json()
    return Run(
        name=name,
        predictions=predictions,
        metrics=metrics,
        facts=RunFacts() if folder is None else read_run_facts(folder),
    )


def stored_metrics(folder: Path, predictions: Predictions) -> dict[str, Any] | None:
    """Return the ``metrics.json`` of a run; ``None`` where there is none of these predictions.

    Raises:
        RunError: It is damaged.
    """
    stored = folder / METRICS_FILE
    if not stored.is_file():
        return None
    try:
        found = json.loads(stored.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{stored}: damaged ({error}); delete it to compute it anew") from error
    belongs = isinstance(found, dict) and found.get("predictions") == predictions.fingerprint()
    if not belongs or found.get("format") != FORMAT:
        return None
    if list(found.get("causes") or ()) != list(predictions.causes):
        raise RunError(
            f"{stored}: damaged (its causes are not those of the predictions, "
            f"{', '.join(predictions.causes)}); delete it to compute it anew"
        )
    return dict(found) if holds_every_metric(found) else None  # an earlier version wrote fewer


def compared_runs(first: Run, others: Mapping[str, Path]) -> dict[str, Any] | None:
    """Return the content of ``comparison.json``: results of every run, and tests of every pair.

    Args:
        first: The run of the page.
        others: Further runs by name.

    Returns:
        ``None`` without further runs.

    Raises:
        ConfigError: A further run is called like the first.
        DataError: The runs are not of the same subjects, outcomes and folds.
    """
    if not others:
        return None
    if first.name in others:
        raise ConfigError(
            f"two runs are named {first.name!r}; give one of them another name (name= for the run "
            "of the page)"
        )
    settings = first.metrics["settings"]
    runs = [first, *(read_other(name, path, settings) for name, path in others.items())]
    tables: dict[str, Predictions | str | Path] = {run.name: run.predictions for run in runs}
    found = {cause: compare(tables, cause=cause) for cause in first.predictions.causes}
    return {
        "format": 1,
        "models": {run.name: _model(run) for run in runs},
        "causes": {cause: one.to_json() for cause, one in found.items()},
    }


def _model(run: Run) -> dict[str, Any]:
    results = {
        cause: {key: metric["pooled"] for key, metric in found["metrics"].items()}
        for cause, found in run.metrics["causes"].items()
    }
    return {
        "model": run.predictions.model,
        "modalities": list(run.facts.modalities),
        "results": results,
    }
