"""``survkit compare``: is one model better than another?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from survkit.cli.console import table_console
from survkit.cli.options import CauseName, Permutations, Replicates

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from survkit.comparison import Comparison, MetricComparison, PairComparison
    from survkit.metrics.estimate import Result

MOST_TABLES = 3
"""For more pairs than these the subjects that make the difference are only written to a file."""


def command(
    runs: Annotated[
        list[str],
        typer.Argument(
            help="Run folders or tables of predictions (also anybody's CSV) of the same subjects; "
            "NAME=RUN gives one another name than that of its folder.",
            metavar="RUN...",
        ),
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="harrell or antolini (pairs within folds), brier, ibs; repeat it for several."
        ),
    ] = None,
    cause: CauseName = None,
    reference: Annotated[
        str | None, typer.Option(help="Compare all with this one, instead of every pair.")
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(help="How much worse than the reference still counts as not worse."),
    ] = None,
    permutations: Permutations = 5000,
    replicates: Replicates = 1000,
    level: Annotated[
        float, typer.Option(help="Coverage of intervals; tests are at one minus it.")
    ] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Seed of swaps and resamples.")] = 0,
    exchange: Annotated[
        str, typer.Option(help="What is swapped in a concordance: ranks or values.")
    ] = "ranks",
    unit: Annotated[
        str | None,
        typer.Option(
            help="What is swapped and resampled as a whole: subject, group or site; by default the "
            "group where the tables have it, else the subject."
        ),
    ] = None,
    horizon: Annotated[
        float | None, typer.Option(help="Of tables that do not say it: until when.")
    ] = None,
    time_unit: Annotated[
        str | None, typer.Option(help="Of tables that do not say it: days, months or years.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for comparison.json and comparison.csv.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a comparison that is there.")
    ] = False,
) -> None:
    """Compare models on out-of-fold predictions of the same subjects.

    The verdict is that of the paired permutation test over subjects, adjusted for the number of
    pairs by Holm. A difference that is not shown is no proof that there is none: for that, state a
    --margin beforehand.
    """
    from survkit.cli.named_runs import named_runs
    from survkit.cli.output_file import check_output
    from survkit.comparison import compare
    from survkit.comparison.comparable_metrics import DEFAULT_METRICS
    from survkit.evaluation import read_run

    if out is not None and out.is_dir():
        for name in ("comparison.json", "comparison.csv"):
            check_output(out / name, ending=Path(name).suffix, overwrite=overwrite)
    tables = {
        name: read_run(path, horizon=horizon, unit=time_unit)
        for name, path in named_runs(runs).items()
    }
    found = compare(
        tables,
        metric=metric or DEFAULT_METRICS,
        cause=cause,
        reference=reference,
        margin=margin,
        permutations=permutations,
        replicates=replicates,
        level=level,
        seed=seed,
        exchange=exchange,  # type: ignore[arg-type]
        unit=unit,  # type: ignore[arg-type]
    )
    _print(found)
    if out is not None:
        for path in found.write(out):
            print(path)


def _print(found: Comparison) -> None:
    facts, settings = found.facts, found.settings
    console = table_console()
    console.print(
        f"{facts['cause']}: {facts['events_by_horizon']} events by {facts['horizon']:g} "
        f"{facts['time_unit']} in {facts['subjects']} subjects; "
        f"{settings['permutations']} swaps of {settings['unit']}s"
    )
    for metric in found.metrics.values():
        console.print()
        console.print(f"{metric.label} ({metric.best} is best)", style="bold")
        for name, value in metric.values.items():
            console.print(f"  {name}: {_value(value)}")
        console.print(_pairs(metric, settings["level"]))
        for pair in metric.pairs:
            console.print(f"{_names(pair)}: {'; '.join([pair.verdict, *_remarks(pair, settings)])}")
    headline = next(iter(found.metrics.values()))
    for pair in headline.pairs[:MOST_TABLES]:
        _print_subjects(console, found, headline, pair)
    if len(headline.pairs) > MOST_TABLES:
        console.print("\nWho makes the other differences is in comparison.json (--out).")


def _pairs(metric: MetricComparison, level: float) -> Table:
    """Return one row per pair: the difference and its tests."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    headings = ["pair", "difference", f"{level:.0%} interval", "p", "Holm p"]
    for heading in (*headings, "Wilcoxon (r)", "corrected t"):
        table.add_column(heading, overflow="fold", no_wrap=heading != headings[0])
    for pair in metric.pairs:
        effect = getattr(pair.wilcoxon, "effect_size", None)
        table.add_row(
            _names(pair),
            *_difference(pair.difference),
            _p(pair.permutation),
            "–" if pair.p_holm is None else f"{pair.p_holm:.4f}",
            _p(pair.wilcoxon) + ("" if effect is None else f" ({effect:.2f})"),
            _p(pair.corrected),
        )
    return table


def _remarks(pair: PairComparison, settings: Mapping[str, Any]) -> list[str]:
    """Return the bound that was asked for, and why something has none."""
    from survkit.comparison import NonInferiority
    from survkit.metrics.estimate import Estimate

    remarks, judged = [], pair.non_inferiority
    if isinstance(judged, NonInferiority):
        side = "at least {:.3f} better" if judged.bound >= 0 else "at most {:.3f} worse"
        remarks.append(f"{side.format(abs(judged.bound))} with {judged.level:.1%} confidence")
    elif judged is not None:
        remarks.append(judged.reason)
    if isinstance(pair.difference, Estimate):
        if pair.difference.interval is None and settings["replicates"]:
            remarks.append(pair.difference.method.rpartition("; ")[2])
    else:
        remarks.append(pair.difference.reason)
    return remarks


def _value(value: Result) -> str:
    from survkit.metrics.estimate import Undefined

    return f"not defined, {value.reason}" if isinstance(value, Undefined) else f"{value.value:.3f}"


def _names(pair: PairComparison) -> str:
    return f"{pair.first} – {pair.second}"


def _difference(result: Result) -> tuple[str, str]:
    from survkit.metrics.estimate import Undefined

    if isinstance(result, Undefined):
        return "not defined", "–"
    interval = result.interval
    if interval is None:
        return f"{result.value:+.3f}", "–"
    return f"{result.value:+.3f}", f"{interval.lower:+.3f} to {interval.upper:+.3f}"


def _p(test: object) -> str:
    value = getattr(test, "p_value", None)
    return "–" if value is None else f"{value:.4f}"


def _print_subjects(
    console: Console, found: Comparison, metric: MetricComparison, pair: PairComparison
) -> None:
    """Print who makes the difference in the headline metric."""
    from rich.table import Table

    subjects = found.influential(pair)
    if not subjects:
        return
    console.print(
        f"\nWho makes the difference {_names(pair)} in {metric.label}: the {len(subjects)} "
        f"largest of {len(pair.shares)} shares, which sum to it",
        style="bold",
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("subject", "share", found.facts["time_unit"], "event"):
        table.add_column(heading)
    events = ["censored", *found.facts["causes"]]
    for each in subjects:
        shown = (f"{each['share']:+.4f}", f"{each['duration']:g}", events[each["event"]])
        table.add_row(each["subject"], *shown)
    console.print(table)
