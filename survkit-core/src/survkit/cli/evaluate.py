"""``survkit evaluate``: the numbers of a run, with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from survkit.evaluation import Evaluation
    from survkit.metrics.estimate import Result


def command(
    predictions: Annotated[
        Path, typer.Argument(help="A run folder, or a predictions.parquet.", metavar="RUN")
    ],
    replicates: Annotated[
        int, typer.Option(min=0, help="Bootstrap resamples; 0 for no intervals.")
    ] = 1000,
    level: Annotated[float, typer.Option(help="Coverage of the intervals.")] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write the numbers; metrics.json of the run by default."),
    ] = None,
) -> None:
    """Compute the metrics of a run, with intervals."""
    from survkit.evaluation import evaluate

    evaluation = evaluate(predictions, replicates=replicates, level=level, seed=seed)
    _print(evaluation)
    if out is None and predictions.is_dir():
        out = predictions / "metrics.json"
    if out is not None:
        print(evaluation.write(out))


def _print(evaluation: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Table

    from survkit.evaluation.metric_names import METRICS

    facts, level = evaluation.facts, evaluation.settings["level"]
    console = Console(markup=False, highlight=False)
    for name, cause in evaluation.causes.items():
        table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
        table.title = (
            f"{facts['model']}: {name}, {cause.events_by_horizon} events by "
            f"{facts['horizon']:g} {facts['time_unit']} in {facts['subjects']} subjects"
        )
        for heading in ("metric", "out of fold", f"{level:.0%} interval", "mean (SD) over folds"):
            table.add_column(heading, overflow="fold")
        for item in METRICS:
            metric = cause.metrics[item.key]
            spread = metric.to_json()["across_folds"]
            folds = f"{_shown(spread['mean'])} ({_shown(spread['sd'])})"
            table.add_row(item.label, *_pooled(metric.pooled), folds)
        console.print(table)
        console.print()


def _pooled(result: Result) -> tuple[str, str]:
    from survkit.metrics.estimate import Undefined

    if isinstance(result, Undefined):
        return "not defined", result.reason
    interval = result.interval
    if interval is None:
        return _shown(result.value), "–"
    return _shown(result.value), f"{interval.lower:.3f} to {interval.upper:.3f}"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
