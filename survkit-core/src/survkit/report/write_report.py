"""From a run folder to one HTML file that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from survkit.atomic_write import write_atomically
from survkit.errors import DataError, RunError
from survkit.evaluation.evaluate import evaluate, read_run
from survkit.evaluation.evaluation import FORMAT, Evaluation, holds_every_metric
from survkit.evaluation.metric_names import HARRELL, OBSERVED_EXPECTED
from survkit.evaluation.predictions import Predictions
from survkit.metrics.estimate import Result
from survkit.report.learning_figure import learning_figure
from survkit.report.learning_log import read_learning_logs
from survkit.report.numbers import Numbers
from survkit.report.page import cause_section, meanings
from survkit.report.protocol import protocol
from survkit.report.run_facts import RunFacts, read_run_facts
from survkit.report.summary import cautions, summary

METRICS_FILE = "metrics.json"
REPORT_FILE = "report.html"


def write_report(
    run: str | Path,
    *,
    evaluation: Evaluation | None = None,
    comparison: Mapping[str, Evaluation | Result] | None = None,
    title: str = "",
    cohort: str = "",
) -> Path:
    """Write ``report.html`` into the run folder, and ``metrics.json`` with every number in it.

    A ``metrics.json`` that is there and belongs to the same predictions is used as it is;
    otherwise the predictions are evaluated.

    Args:
        run: A run folder with ``predictions.parquet``; recipe, choices and logs are shown where
            they are.
        evaluation: Used instead of the folder's.
        comparison: Other models by name, shown beside this one: a whole evaluation, or a Harrell
            concordance (pairs within folds) of the first cause.
        title: Instead of the recipe's title.
        cohort: Name of the cohort, instead of that in ``cohort.yaml``.

    Returns:
        The path of the page.

    Raises:
        DataError: The predictions are missing or impossible.
        RunError: The folder or a file in it is not usable.
    """
    folder = Path(run)
    if not folder.is_dir():
        raise RunError(f"{folder} is no run folder; `survkit cv` makes one")
    predictions = read_run(folder)
    metrics = _metrics(folder, predictions, evaluation)
    if comparison is not None:
        metrics["comparison"] = {
            name: _compared(item, predictions.causes) for name, item in comparison.items()
        }
    facts = read_run_facts(folder)
    facts = replace(facts, cohort=cohort or facts.cohort)
    page = _page(Numbers(metrics), predictions, facts, folder, title)
    text = json.dumps(metrics, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(folder / METRICS_FILE, lambda file: file.write_text(text, encoding="utf-8"))
    return write_atomically(
        folder / REPORT_FILE, lambda file: file.write_text(page, encoding="utf-8")
    )


def _metrics(
    folder: Path, predictions: Predictions, evaluation: Evaluation | None
) -> dict[str, Any]:
    if evaluation is not None:
        if evaluation.facts["predictions"] != predictions.fingerprint():
            raise DataError(
                f"the evaluation is not of the predictions in {folder}; evaluate that folder"
            )
        return evaluation.to_json()
    stored = folder / METRICS_FILE
    if stored.is_file():
        try:
            found = json.loads(stored.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{stored}: damaged ({error}); delete it to compute it anew") from error
        belongs = isinstance(found, dict) and found.get("predictions") == predictions.fingerprint()
        if belongs and found.get("format") == FORMAT:
            if list(found.get("causes") or ()) != list(predictions.causes):
                raise RunError(
                    f"{stored}: damaged (its causes are not those of the predictions, "
                    f"{', '.join(predictions.causes)}); delete it to compute it anew"
                )
            if holds_every_metric(found):  # an earlier version wrote fewer
                return dict(found)
    return evaluate(predictions).to_json()


def _compared(item: Evaluation | Result, causes: tuple[str, ...]) -> dict[str, Any]:
    """Return results by cause and metric."""
    if isinstance(item, Evaluation):
        return {
            cause: {key: metric.pooled.to_json() for key, metric in result.metrics.items()}
            for cause, result in item.causes.items()
        }
    return {causes[0]: {HARRELL: item.to_json()}}


def _page(
    numbers: Numbers, predictions: Predictions, facts: RunFacts, folder: Path, title: str
) -> str:
    logs = read_learning_logs(folder)
    heading = title or str(facts.recipe.get("title") or "") or str(numbers.at("model"))
    page = {
        "version": version("survkit-core"),
        "title": heading,
        "subtitle": _subtitle(numbers, facts),
        "level": numbers.number("settings", "level", style="level"),
        "folded": numbers.at("folds") > 1,
        "repeated": numbers.at("repeats") > 1,
        "summary": summary(numbers),
        "cautions": cautions(numbers),
        "tiles": _tiles(numbers),
        "causes": [cause_section(numbers, predictions, cause) for cause in predictions.causes],
        "learning": learning_figure(logs) if logs else None,
        "protocol": protocol(numbers, facts),
        "recipe": facts.recipe_text,
        "meanings": meanings(numbers),
    }
    template = files("survkit.report").joinpath("template.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(template).render(page=page)


def _subtitle(numbers: Numbers, facts: RunFacts) -> Markup:
    subject = Markup("{} · ").format(facts.cohort) if facts.cohort else Markup("")
    return subject + Markup("{} by {} {} · model {}").format(
        " or ".join(numbers.at("causes")),
        numbers.number("horizon", style="plain"),
        numbers.at("time_unit"),
        numbers.at("model"),
    )


def _tiles(numbers: Numbers) -> list[tuple[str, Markup]]:
    tiles = [("Subjects", numbers.number("subjects", style="count"))]
    for cause in numbers.at("causes"):
        base = ("causes", cause, "metrics")
        tiles.append((f"Events: {cause}", numbers.number("causes", cause, "events", style="count")))
        keys = {HARRELL: "Concordance", OBSERVED_EXPECTED: "Observed / expected"}
        if len(numbers.at("causes")) > 1:
            keys = {HARRELL: f"Concordance: {cause}"}
        for key, label in keys.items():
            if numbers.defined(*base, key, "pooled"):
                tiles.append((label, numbers.number(*base, key, "pooled", "value")))
    return tiles
