"""One training part: choose, fit one model per cause, predict the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from survkit.baselines.check import build_baseline
from survkit.baselines.design_matrix import Rows, fit_design
from survkit.baselines.inner_cv import INNER_FOLDS, Chosen, Task, Tick, choose
from survkit.baselines.prediction import BaselinePrediction, combine
from survkit.baselines.protocol import Curves, Floats
from survkit.data import Cohort
from survkit.recipe import Recipe

if TYPE_CHECKING:
    from survkit.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineTask:
    """A baseline of one fold.

    Attributes:
        cohort: Read with its outcome.
        train: Positions of those it is fitted on.
        test: Positions of those it predicts; their outcome is never looked at.
        candidates: Every combination of searched values with its recipe.
        seed: Numbers that together seed it, such as (seed, repeat, fold).
        registry: Where component names are looked up.
        progress: Whether to show a progress bar.
    """

    cohort: Cohort
    train: Rows
    test: Rows
    candidates: list[tuple[dict[str, Any], Recipe]]
    seed: tuple[int, ...]
    registry: Registry
    progress: bool = False


def fit_baseline(task: BaselineTask) -> tuple[BaselinePrediction, dict[str, Any]]:
    """Fit one model per cause on the training subjects and predict the test subjects.

    Values to choose are chosen by an inner cross-validation of the training subjects, for every
    cause by itself, and the model is then fitted on all of them.

    Returns:
        The prediction, and what was chosen with the score of every candidate (empty where nothing
        was to choose).

    Raises:
        DataError: A part cannot be divided or fitted.
    """
    causes = range(1, len(task.cohort.causes) + 1)
    curves: list[Curves] = []
    scores: list[Floats] = []
    chosen: list[Chosen] = []
    steps = len(causes) * len(task.candidates) * INNER_FOLDS + len(causes)
    with _bar(steps, shown=task.progress) as tick:
        for cause in causes:
            seed = int(np.random.SeedSequence([*task.seed, cause]).generate_state(1)[0])
            one = Task(task.cohort, task.train, cause, seed)
            best = choose(one, task.candidates, lambda r: build_baseline(r, task.registry), tick)
            design = fit_design(task.cohort, best.recipe.inputs, task.train)
            part = one.part(design.features(task.cohort, task.train), task.train)
            fitted = build_baseline(best.recipe, task.registry).fit(part, best.penalty)
            features = design.features(task.cohort, task.test)
            curves.append(fitted.curves(features))
            scores.append(fitted.risk_score(features))
            chosen.append(best)
            tick()
    known_until = float(task.cohort.target(task.train).duration.max())
    return combine(curves, scores, known_until), _choice(chosen, task.cohort.causes)


def _choice(chosen: list[Chosen], causes: tuple[str, ...]) -> dict[str, Any]:
    """Return the content of ``choice.json``; values carry their cause where there are several."""
    if not any(one.scores for one in chosen):
        return {}
    alone = len(causes) == 1
    named = {
        path if alone else f"{cause}: {path}": value
        for cause, one in zip(causes, chosen, strict=True)
        for path, value in one.values.items()
    }
    scores = [
        score if alone else {"cause": cause, **score}
        for cause, one in zip(causes, chosen, strict=True)
        for score in one.scores
    ]
    return {
        "chosen": named,
        "monitor": "concordance",
        "inner_folds": INNER_FOLDS,
        "scores": scores,
    }


@contextmanager
def _bar(steps: int, *, shown: bool) -> Iterator[Tick]:
    """Yield a function to call after every fit; the bar is quiet where there is no terminal."""
    import sys

    from rich.console import Console
    from rich.progress import Progress

    console = Console(file=sys.stderr)
    with Progress(
        console=console, transient=True, disable=not (shown and console.is_terminal)
    ) as bar:
        task = bar.add_task("fitting the baseline", total=steps)
        yield lambda: bar.advance(task)
