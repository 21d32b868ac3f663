"""How well a composition does inside a training part: the one number by which the best is chosen.

It is Harrell's concordance up to the horizon of subjects of the training part, in every composition
by the same function on the same subjects: losses of different heads could not be compared. Where
causes compete, it is that of the cause that is compared.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from survkit.atomic_write import write_bytes
from survkit.baselines import BaselineTask, fit_baseline
from survkit.data import Cohort, Splits
from survkit.errors import DivergedError, RunError
from survkit.hub.load import from_pretrained
from survkit.prediction import SurvivalPrediction
from survkit.specs import OutcomeSpec
from survkit.tournaments.compositions import Composition
from survkit.tournaments.inner_parts import InnerPart, inner_parts
from survkit.training.candidates import candidates
from survkit.training.cross_validate import fold_folder
from survkit.training.fit_outcome import fit_outcome
from survkit.training.fit_part import Part
from survkit.training.run_settings import RunSettings
from survkit.training.search import fit_best
from survkit.training.validation_score import horizon_concordance


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """What a process needs to score one composition.

    Attributes:
        composition: The one.
        cohort: Read with its outcome.
        splits: The outer division.
        run: Folder of the composition's cross-validation.
        place: Where its scores are kept, one file per outer fold.
        folds: Inner folds; 1 for the validation part.
        cause: Code of the cause that is compared.
        settings: Of the run.
    """

    composition: Composition
    cohort: Cohort
    splits: Splits
    run: Path
    place: Path
    folds: int
    cause: int
    settings: RunSettings


def inner_score(work: Scoring, number: int) -> dict[str, Any]:
    """Return ``score`` (``None`` where training diverged) and its ``parts`` in an outer fold.

    A score that was written before is read: every file is written whole, after the last part.

    Raises:
        RunError: The file of an interrupted tournament is damaged.
    """
    fold = work.splits.folds[number]
    name = fold_folder(Path(), work.splits, fold).name
    file = work.place / f"{name}.json"
    if file.is_file():
        return _read(file)
    rows = work.splits.rows(fold, work.cohort.subjects)
    parts = inner_parts(work.composition.recipe, work.cohort, rows, work.folds)
    home = work.place / name
    try:
        values = [_score(work, number, place, part, home) for place, part in enumerate(parts)]
        found: dict[str, Any] = {"score": sum(values) / len(values), "parts": values}
    except DivergedError as error:
        found = {"score": None, "parts": [], "diverged": str(error)}
    shutil.rmtree(home, ignore_errors=True)
    work.place.mkdir(parents=True, exist_ok=True)
    write_bytes(file, (json.dumps(found, indent=1) + "\n").encode())
    return found


def _score(work: Scoring, number: int, place: int, part: InnerPart, home: Path) -> float:
    recipe = work.composition.recipe
    cohort = work.cohort.with_twins(recipe.twins)
    fold = work.splits.folds[number]
    seed = (recipe.training.seed, fold.repeat, fold.fold, place)
    inner = replace(work, cohort=cohort)
    predict = _network if recipe.baseline is None else _baseline
    prediction, outcome = predict(inner, number, part, home / f"inner-{place}", seed)
    return horizon_concordance(prediction, cohort.target(part.scored), outcome, cause=work.cause)


def _network(
    work: Scoring, number: int, part: InnerPart, home: Path, seed: tuple[int, ...]
) -> tuple[SurvivalPrediction, OutcomeSpec]:
    """Predict with the outer fold's own model, or with one of the inner fold."""
    recipe, registry = work.composition.recipe, work.settings.components()
    if work.folds == 1:
        fold = work.splits.folds[number]
        fitted = from_pretrained(fold_folder(work.run, work.splits, fold), registry=registry)
    else:
        one = Part(
            recipe=recipe,
            cohort=work.cohort,
            train=part.train,
            validation=part.validation,
            seed=seed,
            splits_hash=work.splits.sha256,
            registry=registry,
            cache=work.settings.cache,
            resume=home.is_dir(),
        )
        fitted = fit_best(one, home)[0].fitted
    prediction = fitted.predict(
        work.cohort,
        part.scored,
        micro_batch=recipe.training.micro_batch,
        cache=work.settings.cache,
    )
    return prediction, fitted.description.outcome


def _baseline(
    work: Scoring, number: int, part: InnerPart, home: Path, seed: tuple[int, ...]
) -> tuple[SurvivalPrediction, OutcomeSpec]:
    """Fit it without the scored subjects: the outer fold's own has seen its validation part."""
    recipe = work.composition.recipe
    task = BaselineTask(
        cohort=work.cohort,
        train=np.array(part.baseline_train, dtype=np.int64),
        test=np.array(part.scored, dtype=np.int64),
        candidates=candidates(recipe),
        seed=seed,
        registry=work.settings.components(),
    )
    outcome = fit_outcome(recipe, work.cohort, part.baseline_train)
    return fit_baseline(task)[0], outcome


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        float(0 if found["score"] is None else found["score"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(
            f"{file}: damaged ({error}); delete the file to score this fold again"
        ) from error
    return found
