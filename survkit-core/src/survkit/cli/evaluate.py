"""``survkit evaluate``: the numbers of a run or of anybody's table, with intervals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from survkit.cli.console import table_console
from survkit.cli.options import Level

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from survkit.evaluation import Evaluation
    from survkit.evaluation.evaluation import CauseResult
    from survkit.evaluation.questions import Progress
    from survkit.metrics.estimate import Result


def command(
    predictions: Annotated[
        Path,
        typer.Argument(
            help="A run folder, a predictions.parquet, or anybody's table (.csv, .parquet) with "
            "the columns subject, duration, event, risk_score and, where there are probabilities, "
            "survival@TIME or cumulative_incidence@TIME.",
            metavar="RUN",
        ),
    ],
    horizon: Annotated[
        float | None,
        typer.Option(help="Of a table that does not say it: the time that is asked about."),
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Of a table that does not say it: the unit of its times.")
    ] = None,
    training: Annotated[
        Path | None,
        typer.Option(
            help="Table of the training subjects (duration, event) of a held-out table, from whom "
            "censoring is estimated."
        ),
    ] = None,
    interval: Annotated[
        str, typer.Option(help="bootstrap, or jackknife (infinitesimal, by influence functions).")
    ] = "bootstrap",
    cluster: Annotated[
        str | None,
        typer.Option(
            help="What is drawn as a whole: subject, group or site; by default the group, such as "
            "the patient of several images, where the table has it, else the subject."
        ),
    ] = None,
    replicates: Annotated[int, typer.Option(min=0, help="Bootstrap resamples; 0 for none.")] = 1000,
    level: Level = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where to write the numbers; by default metrics.json of the run, or "
            "NAME.metrics.json beside somebody's table."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file of numbers if it is there.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the numbers as JSON instead of a table.")
    ] = False,
) -> None:
    """Compute the metrics of a run or of anybody's predictions, with intervals.

    Metrics answer three questions: who fails first (discrimination), how far the probabilities are
    from what happened (overall), and whether they are right on average (calibration). What cannot
    be computed is not defined, with its reason.
    """
    from survkit.evaluation import evaluate, read_run, read_training
    from survkit.evaluation.training_file import refuse_shared_subjects

    target = _target(predictions, out, training, overwrite=overwrite)
    table = read_run(predictions, horizon=horizon, unit=unit)
    given = None
    if training is not None:
        given = read_training(training, causes=len(table.causes))
        refuse_shared_subjects(training, table.subject.tolist())
    source = predictions if predictions.is_dir() else table
    with _progress() as progress:
        evaluation = evaluate(
            source,
            training=given,
            progress=progress,
            interval=interval,  # type: ignore[arg-type]
            cluster=cluster,  # type: ignore[arg-type]
            replicates=replicates,
            level=level,
            seed=seed,
        )
    if json:
        _print_json(evaluation)
    else:
        _print(evaluation)
    if target is not None:
        evaluation.write(target)
        if not json:
            print(target)


def _target(
    predictions: Path, out: Path | None, training: Path | None, *, overwrite: bool
) -> Path | None:
    """Return where the numbers go; ``None`` for a bare table of survkit, which is only printed."""
    from survkit.cli.output_file import check_output
    from survkit.evaluation.read_run import is_foreign

    if out is None and predictions.is_dir():
        return predictions / "metrics.json"  # derived from the run, so made anew
    if out is None:
        if not is_foreign(predictions):
            return None
        out = predictions.with_name(f"{predictions.name.partition('.')[0]}.metrics.json")
    check_output(out, ending=".json", overwrite=overwrite, inputs=(predictions, training))
    return out


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Give a progress bar where somebody watches."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Bar(console=console, transient=True) as bar:
        task = bar.add_task("resampling", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print_json(evaluation: Evaluation) -> None:
    import json

    print(json.dumps(evaluation.to_json(), indent=2, ensure_ascii=False, allow_nan=False))


def _print(evaluation: Evaluation) -> None:
    console = table_console()
    for name, cause in evaluation.causes.items():
        console.print(_metrics(evaluation, name, cause))
        console.print(_how(evaluation))
        _print_tests(console, cause)
        _print_reasons(console, cause)
        console.print()


def _metrics(evaluation: Evaluation, name: str, cause: CauseResult) -> Table:
    """Return all metrics of a cause, group by group."""
    from rich.table import Table

    from survkit.evaluation.metric_names import ALL_PAIRS, GROUPS, METRICS

    facts, settings = evaluation.facts, evaluation.settings
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.title = (
        f"{facts['model']}: {name}, {cause.events_by_horizon} events by "
        f"{facts['horizon']:g} {facts['time_unit']} in {facts['subjects']} subjects"
    )
    level = f"{settings['level']:.0%} interval"
    for heading in ("metric", "value", level, "best", "mean (SD) over folds"):
        table.add_column(heading, overflow="fold")
    for group in GROUPS:
        table.add_row(group, style="bold")
        for item in METRICS:
            if item.group != group:
                continue
            metric = cause.metrics[item.key]
            spread = metric.to_json()["across_folds"]
            folds = f"{_shown(spread['mean'])} ({_shown(spread['sd'])})"
            if item.key.endswith(ALL_PAIRS):  # a fold alone has no pairs across folds
                folds = "–"
            elif spread["defined"] < spread["of"]:
                folds += f" in {spread['defined']} of {spread['of']}"
            if facts["folds"] == facts["repeats"] == 1:
                folds = "–"
            best = {"one": "1"}.get(item.best, item.best)
            table.add_row(f"  {item.label}", *_pooled(metric.pooled), best, folds)
    return table


def _how(evaluation: Evaluation) -> str:
    """Say how the intervals were made; each method is in the file."""
    from survkit.evaluation.resampling import FEW_SITES

    settings, facts = evaluation.settings, evaluation.facts
    kind = settings["cluster"]
    there = {"site": len(facts["sites"]), "group": facts["groups"]}.get(kind, FEW_SITES)
    resamples = f"bootstrap, {settings['replicates']} resamples by {settings['cluster']}"
    rough = f"; rough, as there are {there} {kind}s only" if there < FEW_SITES else ""
    if settings["interval"] == "jackknife":
        return (
            f"Intervals: infinitesimal jackknife by {settings['cluster']}; for ICI, E50, E90 and "
            f"incidence calibration {resamples if settings['replicates'] else 'none'}{rough}"
        )
    made = f"{resamples}{rough}" if settings["replicates"] else "none asked for"
    return f"Intervals: {made}"


def _print_tests(console: Console, cause: CauseResult) -> None:
    for name, test in cause.tests.items():
        words = {"log_rank": "Log-rank test", "d_calibration": "D-calibration"}[name]
        if "reason" in test:
            console.print(f"{words}: not defined, {test['reason']}")
        else:
            p_value = test["p_value"]
            shown = "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.4f}"
            console.print(
                f"{words}: {shown} (chi-square {test['statistic']:.2f} on "
                f"{test['degrees_of_freedom']} degrees of freedom; {test['method']})"
            )


def _print_reasons(console: Console, cause: CauseResult) -> None:
    """Print each reason once, with the metrics that it takes away."""
    from survkit.evaluation.metric_names import METRICS
    from survkit.metrics.estimate import Undefined

    reasons: dict[str, list[str]] = {}
    for item in METRICS:
        pooled = cause.metrics[item.key].pooled
        if isinstance(pooled, Undefined):
            reasons.setdefault(pooled.reason, []).append(item.label)
        elif pooled.interval is None and "no interval: " in pooled.method:
            why = f"no interval: {pooled.method.partition('no interval: ')[2]}"
            reasons.setdefault(why, []).append(item.label)
    for reason, labels in reasons.items():
        console.print(f"{reason}: {'; '.join(labels)}")


def _pooled(result: Result) -> tuple[str, str]:
    from survkit.metrics.estimate import Undefined

    if isinstance(result, Undefined):
        return "not defined", "–"
    interval = result.interval
    if interval is None:
        return _shown(result.value), "–"
    return _shown(result.value), f"{_shown(interval.lower)} to {_shown(interval.upper)}"


def _shown(value: float | None) -> str:
    """Three decimals; more for what would be shown as 0."""
    if value is None:
        return "–"
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.01 else f"{value:.2g}"
