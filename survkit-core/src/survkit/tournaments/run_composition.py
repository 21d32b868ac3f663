"""One composition: an ordinary cross-validation in a folder of its own, and its inner scores."""

from __future__ import annotations

import json
import logging
import shutil
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from survkit.atomic_write import write_bytes
from survkit.data import Cohort, Splits
from survkit.errors import RunError
from survkit.tournaments.compositions import Composition
from survkit.tournaments.inner_score import Scoring, inner_score
from survkit.tournaments.seconds import timed
from survkit.training.cross_validate import cross_validate, fold_names, run_facts
from survkit.training.run_settings import RunOptions, RunSettings

log = logging.getLogger("survkit.tournaments")
ERROR_FILE = "error.txt"
_RUN_FILES = ("run.json", "predictions.parquet", "metrics.json", "report.html")


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a composition.

    Attributes:
        scores: By outer fold, its inner score; empty where it failed.
        reason: Why it has no numbers; empty where it has.
    """

    scores: Mapping[str, Any]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What all compositions share.

    Attributes:
        cohort: Read with its outcome.
        splits: The outer division.
        place: Folder of the tournament.
        inner_folds: By which the best is chosen.
        settings: Of every cross-validation.
    """

    cohort: Cohort
    splits: Splits
    place: Path
    inner_folds: int
    settings: RunSettings


def run_composition(one: Composition, track: Track) -> Finished:
    """Cross-validate a composition, unless that is done, and score it inside every training part.

    A failure is told and does not stop the others.
    """
    error_file = track.place / "inner" / one.name / ERROR_FILE
    error_file.unlink(missing_ok=True)
    try:
        folder = track.place / one.name
        with timed(track.place, one.name, "cross_validation", begun=_begun(folder)):
            _cross_validate(one, track, folder)
        with timed(track.place, one.name, "inner_scores", begun=_begun(error_file.parent)):
            scores = _inner_scores(one, track, folder)
    except Exception as error:  # one must not lose the others; its reason stands in the table
        log.warning("%s: failed: %s", one.name, error)
        error_file.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(error_file, traceback.format_exc().encode())
        return Finished({}, " ".join(str(error).split()) or type(error).__name__)
    return Finished(scores)


def _cross_validate(one: Composition, track: Track, folder: Path) -> None:
    own = replace(track.settings, overwrite=False, resume=(folder / "run.json").is_file())
    if own.resume and _is_finished(one, track, folder, own):
        return
    if not own.resume:  # of a process that was killed before it had begun
        shutil.rmtree(folder, ignore_errors=True)
    options = {name: getattr(own, name) for name in RunOptions.__annotations__}
    cross_validate(
        one.recipe, track.cohort, folder, splits=track.splits, **cast(RunOptions, options)
    )


def _is_finished(one: Composition, track: Track, folder: Path, settings: RunSettings) -> bool:
    """Whether the folder holds the finished run of this recipe on this cohort and division."""
    if not all((folder / name).is_file() for name in _RUN_FILES):
        return False
    cohort = track.cohort.with_twins(one.recipe.twins)
    expected = {
        "recipe": one.recipe.to_dict(),
        **run_facts(one.recipe, cohort, track.splits, settings),
    }
    try:
        found = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{folder / 'run.json'}: damaged ({error}); delete {folder}") from error
    return bool(found == json.loads(json.dumps(expected)))


def _inner_scores(one: Composition, track: Track, folder: Path) -> dict[str, Any]:
    """Return the scores by outer fold; several folds at the same time where that was asked."""
    work = Scoring(
        composition=one,
        cohort=track.cohort,
        splits=track.splits,
        run=folder,
        place=track.place / "inner" / one.name,
        folds=track.inner_folds,
        settings=track.settings,
    )
    numbers = range(len(track.splits.folds))
    if track.settings.jobs == 1:
        found = [inner_score(work, number) for number in numbers]
    else:
        from joblib import Parallel, delayed

        tasks = (delayed(inner_score)(work, number) for number in numbers)  # type: ignore[no-untyped-call]
        found = list(Parallel(n_jobs=track.settings.jobs)(tasks))  # type: ignore[no-untyped-call]
    return dict(zip(fold_names(track.splits), found, strict=True))


def _begun(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())
