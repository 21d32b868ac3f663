"""From a run folder to one HTML file that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from survkit.atomic_write import write_atomically
from survkit.errors import DataError, RunError
from survkit.evaluation.evaluate import evaluate, read_run
from survkit.evaluation.evaluation import Evaluation
from survkit.evaluation.metric_names import HARRELL
from survkit.evaluation.predictions import Predictions
from survkit.metrics.estimate import Result
from survkit.report.numbers import METRICS_FILE, Numbers
from survkit.report.page import PageParts, render
from survkit.report.page_files import PageFiles
from survkit.report.run_facts import read_run_facts
from survkit.report.runs import Run, compared_runs, stored_metrics
from survkit.report.settings import REPORT_FILE, ReportOptions, ReportSettings

__all__ = ["METRICS_FILE", "REPORT_FILE", "write_report"]


def write_report(
    run: str | Path,
    *,
    evaluation: Evaluation | None = None,
    comparison: Mapping[str, Evaluation | Result] | None = None,
    others: Mapping[str, str | Path] | None = None,
    **options: Unpack[ReportOptions],
) -> Path:
    """Write the page of a run, its figures and tables beside it, and ``metrics.json`` with every
    number in it.

    A ``metrics.json`` that is there and belongs to the same predictions is used as it is;
    otherwise the predictions are evaluated. Figures, tables and the numbers of comparison and
    attention go to the folder ``report`` beside ``report.html``.

    Args:
        run: A run folder with ``predictions.parquet``; recipe, choices, logs, ``cohort.json``,
            attention weights, ``stress/stress.json`` and ``audit.json`` are shown where they are.
        evaluation: Used instead of the folder's.
        comparison: Other models by name, set beside this one without a test: a whole evaluation,
            or a Harrell concordance (pairs within folds) of the first cause.
        others: Further runs by name, compared with this one and each other by
            :func:`survkit.compare`.
        options: Fields of :class:`survkit.report.settings.ReportSettings`: ``title``, ``cohort``,
            ``name``, ``out``, ``overwrite``.

    Returns:
        The path of the page.

    Raises:
        DataError: The predictions are missing or impossible, or the runs are not of the same
            subjects, outcomes and folds.
        RunError: The folder or a file in it is not usable, or something is at ``out``.
    """
    folder, settings = Path(run), ReportSettings(**options)
    if not folder.is_dir():
        raise RunError(f"{folder} is no run folder; `survkit cv` makes one")
    page = settings.place(folder)
    predictions = read_run(folder)
    metrics = _metrics(folder, predictions, evaluation)
    if comparison is not None:
        metrics["comparison"] = {
            name: _compared(item, predictions.causes) for name, item in comparison.items()
        }
    facts = read_run_facts(folder)
    facts = replace(facts, cohort=settings.cohort or facts.cohort)
    name = settings.name or folder.resolve().name
    this = Run(name=name, predictions=predictions, metrics=metrics, facts=facts)
    further = {other: Path(path) for other, path in (others or {}).items()}
    parts = PageParts(
        run=this,
        folder=folder,
        numbers=Numbers(metrics),
        files=PageFiles(),
        compared=compared_runs(this, further),
        title=settings.title,
    )
    return _write(parts, page)


def _write(parts: PageParts, page: Path) -> Path:
    """Write the numbers first and the page last: a page never shows what no file holds."""
    text = render(parts, beside=page.with_suffix("").name)
    numbers = json.dumps(parts.run.metrics, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(
        parts.folder / METRICS_FILE, lambda file: file.write_text(numbers, encoding="utf-8")
    )
    parts.files.write(page.with_suffix(""))
    return write_atomically(page, lambda file: file.write_text(text, encoding="utf-8"))


def _metrics(
    folder: Path, predictions: Predictions, evaluation: Evaluation | None
) -> dict[str, Any]:
    if evaluation is not None:
        if evaluation.facts["predictions"] != predictions.fingerprint():
            raise DataError(
                f"the evaluation is not of the predictions in {folder}; evaluate that folder"
            )
        return evaluation.to_json()
    stored = stored_metrics(folder, predictions)
    return evaluate(folder).to_json() if stored is None else stored


def _compared(item: Evaluation | Result, causes: tuple[str, ...]) -> dict[str, Any]:
    """Return results by cause and metric."""
    if isinstance(item, Evaluation):
        return {
            cause: {key: metric.pooled.to_json() for key, metric in result.metrics.items()}
            for cause, result in item.causes.items()
        }
    return {causes[0]: {HARRELL: item.to_json()}}
