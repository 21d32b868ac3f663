"""Which settings of a baseline: chosen by cross-validation inside the training part alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from survkit.baselines.design_matrix import Rows, fit_design
from survkit.baselines.protocol import Baseline, Floats, HasPath, TrainingPart
from survkit.data import Cohort, make_splits
from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.estimate import Undefined
from survkit.metrics.harrell import harrell_concordance
from survkit.recipe import Recipe

INNER_FOLDS = 3
"""Parts of the inner division. Few, so that each holds events in small cohorts."""

Built = Callable[[Recipe], Baseline]
Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Task:
    """One event of one training part.

    Attributes:
        cohort: Read with its outcome.
        train: Positions of those who may be looked at.
        cause: Code of the event; other causes count as censored, as cause-specific hazards ask.
        seed: Of the fits and of the inner division.
    """

    cohort: Cohort
    train: Rows
    cause: int
    seed: int

    def part(self, features: Floats, rows: Rows) -> TrainingPart:
        """Return the rows as a baseline is fitted on them."""
        target = self.cohort.target(rows)
        observed = target.event.numpy() == self.cause
        return TrainingPart(features, target.duration.numpy(), observed, self.seed)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The best candidate.

    Attributes:
        recipe: Without a search.
        penalty: The chosen one; ``None`` where the baseline does not choose.
        values: What was chosen, by dotted path.
        scores: Every candidate with its concordance.
    """

    recipe: Recipe
    penalty: float | None
    values: dict[str, Any]
    scores: list[dict[str, Any]]


def chooses(baseline: Baseline) -> bool:
    """Whether the baseline has a penalty and none was set."""
    return isinstance(baseline, HasPath) and baseline.penalty is None


def inner_parts(cohort: Cohort, train: Rows, seed: int) -> list[tuple[Rows, Rows]]:
    """Return the inner division: positions to fit on and positions to score, by subject.

    Raises:
        DataError: The training part holds too few events of a cause to be divided.
    """
    part = cohort.subset(train)
    try:
        splits = make_splits(part, folds=INNER_FOLDS, seed=seed, validation=0.0)
    except DataError as error:
        raise DataError(
            f"the {len(train)} training subjects cannot be divided for the inner cross-validation "
            f"that chooses settings ({error}); give the values instead of a choice"
        ) from error
    found = []
    for fold in splits.folds:
        rows = splits.rows(fold, part.subjects)
        found.append((train[rows.train.numpy()], train[rows.test.numpy()]))
    return found


def choose(
    task: Task, candidates: list[tuple[dict[str, Any], Recipe]], build: Built, tick: Tick
) -> Chosen:
    """Return the candidate of highest concordance over the inner folds, pairs within folds.

    The path of penalties comes from the whole training part. Everything else, the design matrix
    included, is fitted anew on the inner training subjects. Of equal candidates the first wins, so
    the strongest penalty.

    Raises:
        DataError: The part cannot be divided or fitted, or holds no two subjects to compare.
    """
    first = candidates[0][1]
    if len(candidates) == 1 and not chooses(build(first)):
        return Chosen(first, None, candidates[0][0], [])
    parts = inner_parts(task.cohort, task.train, task.seed)
    tried: list[tuple[float, Recipe, float | None, dict[str, Any]]] = []
    for values, recipe in candidates:
        baseline, penalties = build(recipe), tuple[float, ...]()
        if isinstance(baseline, HasPath) and chooses(baseline):
            design = fit_design(task.cohort, recipe.inputs, task.train)
            features = design.features(task.cohort, task.train)
            penalties = baseline.path(task.part(features, task.train))
        scores = _inner_scores(task, recipe, baseline, penalties, parts, tick)
        for place, score in enumerate(_concordances(task, parts, scores)):
            penalty = penalties[place] if penalties else None
            named = values if penalty is None else values | {"baseline.penalty": penalty}
            tried.append((score, recipe, penalty, named))
    best = max(range(len(tried)), key=lambda place: (tried[place][0], -place))
    _, recipe, penalty, named = tried[best]
    return Chosen(recipe, penalty, named, [{"values": v, "score": s} for s, _, _, v in tried])


def _inner_scores(
    task: Task,
    recipe: Recipe,
    baseline: Baseline,
    penalties: tuple[float, ...],
    parts: list[tuple[Rows, Rows]],
    tick: Tick,
) -> list[Floats]:
    """Return, by inner fold, the risk scores of its left-out subjects; (penalty, subject)."""
    found = []
    for fitted, left in parts:
        design = fit_design(task.cohort, recipe.inputs, fitted)
        part = task.part(design.features(task.cohort, fitted), fitted)
        features = design.features(task.cohort, left)
        if penalties and isinstance(baseline, HasPath):
            found.append(baseline.path_scores(part, penalties, features))
        else:
            found.append(baseline.fit(part, None).risk_score(features)[None])
        tick()
    return found


def _concordances(
    task: Task, parts: list[tuple[Rows, Rows]], scores: list[Floats]
) -> Iterator[float]:
    left = np.concatenate([rows for _, rows in parts])
    fold = np.concatenate([np.full(len(rows), k) for k, (_, rows) in enumerate(parts)])
    target = task.cohort.target(left)
    compared = SurvivalTarget(
        target.duration, (target.event == task.cause).long(), strata=torch.from_numpy(fold)
    )
    for row in np.concatenate(scores, axis=1):
        result = harrell_concordance(torch.from_numpy(np.ascontiguousarray(row)), compared)
        if isinstance(result, Undefined):
            raise DataError(
                f"the inner cross-validation cannot choose settings: {result.reason}; give the "
                "values instead of a choice"
            )
        yield result.value
