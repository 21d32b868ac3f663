"""``survkit tournament``: many compositions, the same folds, equal budget, corrected tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from survkit.cli.cohort_warnings import print_warnings
from survkit.cli.left_out import print_left_out
from survkit.cli.options import (
    BySite,
    CacheFolder,
    CauseName,
    CohortFile,
    DataFolder,
    FoldJobs,
    Folds,
    IntervalReplicates,
    Permutations,
    Quiet,
    Repeats,
    Resume,
    SeedOfAll,
    SplitsFile,
    TableFile,
)
from survkit.cli.tournament_asked import asked_for
from survkit.cli.tournament_printed import print_entrants, print_result

if TYPE_CHECKING:
    from survkit.tournaments.tournament import Checked


def command(
    file: Annotated[
        Path | None,
        typer.Argument(help="A tournament file (YAML): base, vary, compositions.", metavar="FILE"),
    ] = None,
    cohort: CohortFile = ...,  # type: ignore[assignment]
    out: Annotated[Path, typer.Option(help="Folder of the tournament.")] = ...,  # type: ignore[assignment]
    recipe: Annotated[
        list[str] | None,
        typer.Option(help="Instead of a file: RECIPE or NAME=RECIPE; repeat it, or give --vary."),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            help="Values of a part of the one --recipe: path=a,b. Every combination competes; "
            "losses follow the head."
        ),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change every recipe before it is varied: path=value."),
    ] = None,
    folds: Folds = 5,
    repeats: Repeats = 1,
    splits: SplitsFile = None,
    by_site: BySite = False,
    inner_folds: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="On what each training part chooses the best: 1 for its validation part, else an "
            "inner cross-validation; default: the file's, else 1 where that is fair, else 3.",
        ),
    ] = None,
    unequal_budget: Annotated[
        bool,
        typer.Option(
            "--unequal-budget", help="Networks that may train longer than others are meant."
        ),
    ] = False,
    reference: Annotated[
        str | None, typer.Option(help="Show the others against this one, instead of the best.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="List who would compete and who not; train nothing.")
    ] = False,
    table: TableFile = None,
    data: DataFolder = None,
    seed: SeedOfAll = None,
    jobs: FoldJobs = 1,
    cause: CauseName = None,
    replicates: IntervalReplicates = 1000,
    permutations: Permutations = 5000,
    level: Annotated[
        float, typer.Option(help="Coverage of intervals of differences; tests are at one minus it.")
    ] = 0.95,
    cache: CacheFolder = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace the tournament once the new one is complete."),
    ] = False,
    resume: Resume = False,
    quiet: Quiet = False,
) -> None:
    """Cross-validate many compositions in the same folds with equal budget, and compare them.

    What does not fit is listed with the reason before anything trains. Every pair is tested on the
    same subjects, adjusted for all pairs. The best of many is too good: so the best is also chosen
    inside each training part, and that procedure is measured as 'chosen'. Each composition is a run
    folder inside. If one fails the others go on, and the exit code is 1.
    """
    from survkit.data import Cohort, PreparationCache, Splits, default_cache_folder
    from survkit.plugins import default_registry
    from survkit.tournaments import tournament
    from survkit.tournaments.settings import TournamentOptions, TournamentSettings
    from survkit.tournaments.tournament import check_tournament

    asked = asked_for(file, recipe or (), vary or (), changes or ())
    subjects = Cohort.read(cohort, table=table, data_folder=data)
    print_left_out(subjects)
    options: TournamentOptions = {
        "folds": folds,
        "repeats": repeats,
        "splits": None if splits is None else Splits.read(splits, subjects=subjects.subjects),
        "by_site": by_site,
        "inner_folds": inner_folds,
        "unequal_budget": unequal_budget,
        "reference": reference,
        "cause": cause,
        "permutations": permutations,
        "level": level,
        "replicates": replicates,
        "seed": seed,
        "jobs": jobs,
        "overwrite": overwrite,
        "resume": resume,
        "progress": not quiet,
        "cache": PreparationCache(cache or default_cache_folder()),
        "registry": None if jobs != 1 else default_registry(),
    }

    def announce(checked: Checked) -> None:
        read = {name for one in checked.entrants.compositions for name in one.recipe.modalities}
        print_warnings(subjects, sorted(read))
        print_entrants(checked)

    if check:
        announce(check_tournament(asked, subjects, TournamentSettings(**options)))
        return
    found = tournament(asked, subjects, out, announce=announce, **options)
    print_result(found)
    if found.content["failed"]:
        raise typer.Exit(1)
