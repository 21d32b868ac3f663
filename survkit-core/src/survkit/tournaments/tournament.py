"""Runs a tournament: one division, every composition in it, and what may be concluded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from survkit.data import Cohort, Splits, make_splits
from survkit.data.split_units import refuse_parted_groups
from survkit.errors import ConfigError, RunError
from survkit.recipe import Recipe
from survkit.suggest import did_you_mean
from survkit.tournaments.choose_best import choose, evaluate_chosen
from survkit.tournaments.compositions import Composition, check_set, read_compositions
from survkit.tournaments.preflight import (
    Entrants,
    check_entrants,
    check_permutations,
    check_reference,
)
from survkit.tournaments.results import Ended, compare_all, results
from survkit.tournaments.run_composition import Finished, Track, run_composition
from survkit.tournaments.seconds import read_seconds
from survkit.tournaments.settings import TournamentOptions, TournamentSettings
from survkit.tournaments.tournament_file import TournamentFile
from survkit.tournaments.track_bar import track_bar
from survkit.tournaments.write_results import write_results
from survkit.training.candidates import with_seed
from survkit.training.cross_validate import fold_names
from survkit.training.run_folder import RunFolder

Asked = TournamentFile | str | Path | Mapping[str, Recipe]
"""A tournament, its file, or recipes by name."""


@dataclass(frozen=True, slots=True)
class TournamentResult:
    """A finished tournament.

    Attributes:
        folder: With ``tournament.json``, tables, page, and a run folder per composition.
        content: Of ``tournament.json``.
        seconds: By composition, how long it took.
    """

    folder: Path
    content: Mapping[str, Any]
    seconds: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """A tournament that may start: everything was tried, nothing was trained.

    Attributes:
        title: One line.
        splits: The outer division.
        entrants: Who competes, who does not and why, and the budgets.
        cause: Code of the cause that is compared, and by which the best is chosen.
        reference: What the others are shown against; ``None`` for the best.
    """

    title: str
    splits: Splits
    entrants: Entrants
    cause: int
    reference: str | None


def tournament(
    asked: Asked,
    cohort: Cohort,
    folder: str | Path,
    *,
    announce: Callable[[Checked], None] | None = None,
    **options: Unpack[TournamentOptions],
) -> TournamentResult:
    """Run compositions in one nested cross-validation with equal budget, and compare them.

    All have the same folds, seed and prepared images. Inside each training part the composition of
    the best inner score is chosen, and what the chosen ones predict for the test subjects is
    reported beside the compositions: the best of a table of test results would be too good.

    Args:
        asked: A tournament, its file, or recipes by name.
        cohort: Read with its outcome.
        folder: Where everything is written; each composition is a run folder in it.
        announce: Told who competes, before anything trains.
        options: Fields of :class:`survkit.tournaments.settings.TournamentSettings`: ``folds``,
            ``repeats``, ``splits``, ``by_site``, ``inner_folds``, ``unequal_budget``,
            ``reference``, ``cause``, ``permutations``, ``level``, ``replicates``, ``seed``,
            ``jobs``, ``overwrite``, ``resume``, ``progress``, ``cache``, ``registry``.

    Raises:
        ConfigError: A recipe is missing or wrong, two are alike, or budgets differ.
        DataError: The cohort cannot be divided so.
        RunError: The folder is in use, or fewer than two compositions could be trained.
    """
    settings = TournamentSettings(**options)
    run = RunFolder(folder, overwrite=settings.overwrite, resume=settings.resume)
    checked = check_tournament(asked, cohort, settings)
    if announce is not None:
        announce(checked)
    with run.attempt():
        run.describe(_facts(checked, cohort, settings), {})
        checked.splits.write(run.work / "splits.json")
        finished = _run_all(checked, cohort, settings, run.work)
        content = _conclude(checked, cohort, settings, finished, run.work)
        seconds = read_seconds(run.work)
        return TournamentResult(run.finish(), content, seconds)


def check_tournament(asked: Asked, cohort: Cohort, settings: TournamentSettings) -> Checked:
    """Divide the cohort and try every composition on made-up subjects; nothing is written.

    Raises:
        UserError: As :func:`tournament` does before it trains.
    """
    registry = settings.run().components()
    file = asked if isinstance(asked, TournamentFile) else None
    if isinstance(asked, (str, Path)):
        file = TournamentFile.read(asked)
    if file is not None:
        compositions = read_compositions(file, settings.seed, registry)
    else:
        assert isinstance(asked, Mapping)
        compositions = _given(asked, settings.seed)
    if settings.cause is not None and settings.cause not in cohort.causes:
        raise ConfigError(
            f"no cause is named {settings.cause!r}. {did_you_mean(settings.cause, cohort.causes)}"
        )
    cause = 1 if settings.cause is None else cohort.causes.index(settings.cause) + 1
    splits = settings.splits or _divide(compositions[0].recipe, cohort, settings)
    refuse_parted_groups(splits, cohort)
    entrants = check_entrants(
        compositions,
        cohort,
        splits,
        registry,
        inner_folds=settings.inner_folds or (None if file is None else file.inner_folds),
        cause=cause,
        unequal_budget=settings.unequal_budget or (file is not None and file.budget == "unequal"),
    )
    check_permutations(
        len(entrants.compositions), permutations=settings.permutations, level=settings.level
    )
    reference = settings.reference or (None if file is None else file.reference)
    check_reference(reference, entrants)
    title = (file.title if file is not None else "") or f"{len(compositions)} compositions compared"
    return Checked(title, splits, entrants, cause, reference)


def _given(recipes: Mapping[str, Recipe], seed: int | None) -> list[Composition]:
    """Return recipes that were made in Python."""
    found = [Composition(name, with_seed(recipe, seed)) for name, recipe in recipes.items()]
    if not found:
        raise ConfigError("there is nothing to compare: give recipes by name")
    check_set(found)
    return found


def _divide(recipe: Recipe, cohort: Cohort, settings: TournamentSettings) -> Splits:
    """Divide the cohort once for all compositions, which agree on seed and validation part."""
    return make_splits(
        cohort,
        folds=settings.folds,
        repeats=settings.repeats,
        seed=recipe.training.seed,
        validation=recipe.training.validation,
        group_by_site=settings.by_site,
    )


def _facts(checked: Checked, cohort: Cohort, settings: TournamentSettings) -> dict[str, Any]:
    """Return what ``run.json`` says; a tournament of other facts is another tournament."""
    return {
        "command": "tournament",
        "compositions": {one.name: one.recipe.to_dict() for one in checked.entrants.compositions},
        "not_fitting": dict(checked.entrants.left_out),
        "cohort": cohort.fingerprint(),
        "left_out": list(cohort.left_out),
        "splits": checked.splits.sha256,
        "inner_folds": checked.entrants.inner_folds,
        "cause": cohort.causes[checked.cause - 1],
        "replicates": settings.replicates,
    }


def _run_all(
    checked: Checked, cohort: Cohort, settings: TournamentSettings, place: Path
) -> dict[str, Finished]:
    track = Track(
        cohort=cohort,
        splits=checked.splits,
        place=place,
        inner_folds=checked.entrants.inner_folds,
        cause=checked.cause,
        settings=settings.run(),
    )
    names = [one.name for one in checked.entrants.compositions]
    found = {}
    bar = track_bar(
        place,
        names,
        fold_names(checked.splits),
        inner_folds=checked.entrants.inner_folds,
        shown=settings.progress,
    )
    with bar as starts:
        for one in checked.entrants.compositions:
            starts(one.name)
            found[one.name] = run_composition(one, track)
    return found


def _conclude(
    checked: Checked,
    cohort: Cohort,
    settings: TournamentSettings,
    finished: Mapping[str, Finished],
    place: Path,
) -> dict[str, Any]:
    """Choose inside the folds, evaluate the choice, compare all pairs, and write it down."""
    scores = {name: one.scores for name, one in finished.items() if not one.reason}
    if len(scores) < 2:
        said = "; ".join(f"{name}: {one.reason}" for name, one in finished.items() if one.reason)
        raise RunError(f"fewer than two compositions could be trained, so none is compared. {said}")
    choices = choose(scores, fold_names(checked.splits))
    ended = Ended(
        title=checked.title,
        cohort=cohort,
        splits=checked.splits,
        place=place,
        entrants=checked.entrants,
        finished=finished,
        choices=choices,
        chosen=evaluate_chosen(choices, checked.splits, place, replicates=settings.replicates),
        reference=checked.reference,
        settings=settings,
    )
    compared = compare_all(ended)
    content = results(ended, compared)
    compared.write(place)
    write_results(content, read_seconds(place), place)
    return content
