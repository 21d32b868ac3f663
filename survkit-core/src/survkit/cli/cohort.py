"""``survkit cohort``: check a cohort, or split it into folds."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from survkit.cli.console import table_console
from survkit.cli.options import AsJson, CohortArgument

if TYPE_CHECKING:
    from survkit.data import Problem, Splits

MOST_ROWS = 5
"""A problem that more rows share is shown once."""

command = typer.Typer(help="Check a cohort, or split it into folds.", no_args_is_help=True)

Table = Annotated[
    Path | None, typer.Option(help="Table to use instead of the one that the cohort file names.")
]
Data = Annotated[
    Path | None,
    typer.Option(help="Folder that relative paths start from; default: the cohort file's."),
]


@command.command()
def check(
    cohort: CohortArgument,
    table: Table = None,
    data: Data = None,
    jobs: Annotated[int, typer.Option(help="Worker processes for images; -1: all cores.")] = 1,
    as_json: AsJson = False,
    drop_invalid: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT",
            help="Write the rows without errors there, and the others with reasons beside it.",
        ),
    ] = None,
) -> None:
    """List every problem of a cohort with its row; exit with 2 if there are errors.

    One that many rows share is shown once, with their number; --json lists each.
    """
    from survkit.cli.cohort_summary import print_summary
    from survkit.data.check import check_cohort
    from survkit.data.cohort import Cohort

    with progress_bar("reading images") as progress:
        problems = check_cohort(cohort, table=table, data_folder=data, jobs=jobs, progress=progress)
    left = [problem for problem in problems if problem.severity == "error"]
    if as_json:
        print(json.dumps([asdict(problem) for problem in problems], indent=1))
    else:
        if not left:
            print_summary(Cohort.read(cohort, table=table, data_folder=data))
        _print_problems(problems)
    if drop_invalid is not None:
        _drop(cohort, table, data, drop_invalid, problems)
        left = [problem for problem in left if problem.row is None]
    if left:
        raise typer.Exit(2)


@command.command()
def split(
    cohort: CohortArgument,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("splits.json"),
    folds: Annotated[int, typer.Option(help="Number of test parts.")] = 5,
    repeats: Annotated[int, typer.Option(help="How often everything is divided anew.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same folds.")] = 0,
    validation: Annotated[
        float, typer.Option(help="Share of each training part that chooses the epoch.")
    ] = 0.2,
    by_site: Annotated[bool, typer.Option("--by-site", help="Test whole sites.")] = False,
    table: Table = None,
    data: Data = None,
) -> None:
    """Divide a cohort into folds, stratified on event and duration, and write them to a file."""
    from survkit.data.cohort import Cohort
    from survkit.data.make_splits import make_splits
    from survkit.errors import DataError

    if out.exists():
        raise DataError(f"{out} is there already; remove it or give another --out")
    subjects = Cohort.read(cohort, table=table, data_folder=data)
    splits = make_splits(
        subjects,
        folds=folds,
        repeats=repeats,
        seed=seed,
        validation=validation,
        group_by_site=by_site,
    )
    splits.write(out)
    _print_splits(splits, out)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how many are done, and of how many; it draws on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), Remaining())
    console = Console(file=sys.stderr)
    shown = console.is_terminal  # elsewhere it would leave an empty line
    with Progress(*columns, console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task(title, total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


def _drop(
    cohort: Path, table: Path | None, data: Path | None, out: Path, problems: Sequence[Problem]
) -> None:
    from survkit.data.drop_invalid import write_kept
    from survkit.data.raw_cohort import read_raw_cohort

    source = Path(read_raw_cohort(cohort, table=table, data_folder=data).table.source)
    dropped, kept, left_out = write_kept(source, out, problems)
    print(f"{kept} rows kept in {out}; {left_out} left out, each with its reason in {dropped}")


def _print_problems(problems: Sequence[Problem]) -> None:
    from rich.table import Table as Grid

    console = table_console()
    errors = sum(problem.severity == "error" for problem in problems)
    if problems:
        grid = Grid(box=None, pad_edge=False, header_style="bold")
        for heading in ("severity", "row", "subject", "column", "problem"):
            grid.add_column(heading, overflow="fold")
        for cells in _grouped(problems):
            grid.add_row(*cells)
        console.print(grid)
    console.print(f"{errors} errors, {len(problems) - errors} warnings")


def _grouped(problems: Sequence[Problem]) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield the lines of the table; a problem that many rows share is one line."""
    alike: dict[tuple[str, str, str], list[Problem]] = {}
    for each in problems:
        alike.setdefault((each.severity, each.column or "", each.message), []).append(each)
    for each in problems:
        key = (each.severity, each.column or "", each.message)
        shared = alike[key]
        if len(shared) <= MOST_ROWS:
            row = "" if each.row is None else str(each.row)
            yield each.severity, row, each.subject or "", each.column or "", each.message
        elif each is shared[0]:
            rows = ", ".join(str(one.row) for one in shared[:3])
            more = f"{each.message} ({len(shared)} such rows; --json lists all)"
            yield each.severity, f"{rows}, …", "", each.column or "", more


def _print_splits(splits: Splits, out: Path) -> None:
    from rich.table import Table as Grid

    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for heading in ("fold", "train", "validation", "test"):
        grid.add_column(heading)
    for fold in splits.folds:
        grid.add_row(fold.name, *(str(len(p)) for p in (fold.train, fold.validation, fold.test)))
    console = table_console()
    console.print(grid)
    console.print(f"{out}: sha256 {splits.sha256}")
