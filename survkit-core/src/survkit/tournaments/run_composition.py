"""One composition: an ordinary cross-validation in a folder of its own, and its inner scores."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.data import Cohort, Splits
from survkit.tournaments.compositions import Composition
from survkit.tournaments.inner_score import Scoring, inner_score
from survkit.tournaments.seconds import timed
from survkit.tournaments.tournament_file import INNER
from survkit.training.cross_validate import fold_names
from survkit.training.finish_run import finish_run
from survkit.training.run_settings import RunSettings
from survkit.worker_processes import in_processes

log = logging.getLogger("survkit.tournaments")
ERROR_FILE = "error.txt"


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
        cause: Code of the cause by which it is chosen.
        settings: Of every cross-validation.
    """

    cohort: Cohort
    splits: Splits
    place: Path
    inner_folds: int
    cause: int
    settings: RunSettings


def run_composition(one: Composition, track: Track) -> Finished:
    """Cross-validate a composition, unless that is done, and score it inside every training part.

    A failure is told and does not stop the others.
    """
    error_file = track.place / INNER / one.name / ERROR_FILE
    error_file.unlink(missing_ok=True)
    try:
        folder = track.place / one.name
        with timed(track.place, one.name, "cross_validation", begun=_begun(folder)):
            finish_run(one.recipe, track.cohort, folder, track.splits, track.settings)
        with timed(track.place, one.name, "inner_scores", begun=_begun(error_file.parent)):
            scores = _inner_scores(one, track, folder)
    except Exception as error:  # one must not lose the others; its reason stands in the table
        log.warning("%s: failed: %s", one.name, error)
        error_file.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(error_file, traceback.format_exc().encode())
        return Finished({}, " ".join(str(error).split()) or type(error).__name__)
    return Finished(scores)


def _inner_scores(one: Composition, track: Track, folder: Path) -> dict[str, Any]:
    """Return the scores by outer fold; several folds at the same time where that was asked."""
    work = Scoring(
        composition=one,
        cohort=track.cohort,
        splits=track.splits,
        run=folder,
        place=track.place / INNER / one.name,
        folds=track.inner_folds,
        cause=track.cause,
        settings=track.settings,
    )
    calls = [(work, number) for number in range(len(track.splits.folds))]
    if track.settings.jobs == 1:
        found = [inner_score(*each) for each in calls]
    else:
        jobs = track.settings.jobs
        found = list(in_processes(inner_score, calls, jobs=jobs, tasks=len(calls)))
    return dict(zip(fold_names(track.splits), found, strict=True))


def _begun(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())
