"""``survkit reproduce``: a paper's table, run again on one cohort; or an experiment, on none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from survkit.cli.cohort_warnings import print_warnings
from survkit.cli.experiment import DEFAULT_SEEDS, run_if_experiment
from survkit.cli.left_out import print_left_out
from survkit.cli.options import (
    CacheFolder,
    DataFolder,
    DifferentSubjects,
    IntervalReplicates,
    Permutations,
    Repeats,
    SeedOfAll,
    SplitsFile,
    TableFile,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from survkit.data import Cohort


def command(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            help="A published table, the name of an installed one or a file (YAML); or the name of "
            "an experiment."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the table and of its rows' runs.")],
    cohort: Annotated[
        Path | None, typer.Option(help="The cohort file (YAML); an experiment needs none.")
    ] = None,
    rows: Annotated[
        str | None, typer.Option(help="Labels of the rows to run, separated by commas; all.")
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(help="The paper's data set to set ours beside, where its table has several."),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=2, help="Number of test parts; default: the table's.")
    ] = None,
    repeats: Repeats = 1,
    splits: SplitsFile = None,
    table: TableFile = None,
    data: DataFolder = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Change the recipe of every row, or the settings of an experiment: path=value. "
            "A setting of an encoder changes the rows that have it.",
        ),
    ] = None,
    seed: SeedOfAll = None,
    seeds: Annotated[
        str, typer.Option(help="Of an experiment: its seeds, separated by commas.")
    ] = DEFAULT_SEEDS,
    jobs: Annotated[
        int, typer.Option(help="Folds, or seeds, at the same time; -1: one per core.")
    ] = 1,
    replicates: IntervalReplicates = 1000,
    permutations: Permutations = 5000,
    init_from: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=RUN, or NAME=ORG/NAME on the Hub: trained weights that rows start from; "
            "repeat it."
        ),
    ] = None,
    init_revision: Annotated[
        list[str] | None,
        typer.Option(help="NAME=REVISION: branch, tag or commit of weights on the Hub."),
    ] = None,
    different_subjects: DifferentSubjects = False,
    device: Annotated[
        str, typer.Option(help="Where models predict under the table's conditions.")
    ] = "cpu",
    cache: CacheFolder = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the table once the new one is complete.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep finished rows, go on with the others.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Cross-validate every row of a published table in the same folds, and set it beside the paper.

    Writes table.md, table.csv and table.json. A table's conditions, such as noisy scans, are met by
    each test subject under the model of the fold that never saw it. What the paper does not print
    is "n/a". Numbers on another cohort than the paper's are not to be set against the paper's, and
    the table says so. A row that fails does not stop the others; the exit code is then 1.

    An experiment of a plugin draws its own subjects: it takes no cohort, but --seeds, and --set for
    its settings. Writes table.md, table.csv, result.json and figures.
    """
    from survkit.cli.predict import check_device
    from survkit.data import PreparationCache, Splits, default_cache_folder
    from survkit.plugins import default_registry
    from survkit.reproduction import Chosen, Reproduction, reproduce
    from survkit.reproduction.table_markdown import as_markdown

    registry = default_registry()
    if run_if_experiment(context, registry):
        return
    check_device(device)
    published = Reproduction.read(name, registry=registry)
    subjects = _read_cohort(cohort, table, data)
    found = reproduce(
        published,
        subjects,
        out,
        chosen=Chosen(
            rows=[one for one in (rows or "").split(",") if one.strip()],
            changes=changes or (),
            folds=folds,
            repeats=repeats,
            splits=None if splits is None else Splits.read(splits, subjects=subjects.subjects),
            permutations=permutations,
            sources=_named("--init-from", init_from or (), "RUN"),
            revisions=_named("--init-revision", init_revision or (), "REVISION"),
            column=column,
            device=device,
        ),
        announce=None if quiet else _announce,
        seed=seed,
        jobs=jobs,
        replicates=replicates,
        overwrite=overwrite,
        resume=resume,
        progress=not quiet,
        different_subjects=different_subjects,
        cache=PreparationCache(cache or default_cache_folder()),
        registry=None if jobs != 1 else registry,
    )
    print(as_markdown(found.content), found.folder / "table.md", sep="\n")
    _fail_with(found.failed)


def _read_cohort(cohort: Path | None, table: Path | None, data: Path | None) -> Cohort:
    """Read the cohort, which a published table cannot do without, and say who is left out."""
    from survkit.data import Cohort
    from survkit.errors import ConfigError

    if cohort is None:
        raise ConfigError("a published table is run on a cohort; give its file with --cohort")
    subjects = Cohort.read(cohort, table=table, data_folder=data)
    print_left_out(subjects)
    print_warnings(subjects, subjects.modalities)
    return subjects


def _announce(label: str, number: int, of: int) -> None:
    print(f"row {number} of {of}: {label}", file=sys.stderr)


def _fail_with(failed: Mapping[str, str]) -> None:
    """Print which rows failed and end with 1, where any did."""
    for label, reason in failed.items():
        print(f"row '{label}' failed: {reason}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def _named(option: str, pairs: Sequence[str], what: str) -> dict[str, str]:
    """Return what an option says by the name that rows give it."""
    from survkit.errors import ConfigError

    found: dict[str, str] = {}
    for pair in pairs:
        name, _, given = pair.partition("=")
        if not name or not given:
            raise ConfigError(f"{option} takes NAME={what} here, not {pair!r}")
        if name in found:
            raise ConfigError(f"{option} names {name!r} twice")
        found[name] = given
    return found
