"""Chooses between the values of ``recipe.search`` inside one training part, and refits the winner.

Reference: Varma and Simon (2006), BMC Bioinformatics 7:91, on why what is chosen must be chosen
inside each fold; Stone (1974), J. R. Stat. Soc. B 36:111, on choosing by cross-validation.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.errors import ConfigError, DivergedError, RunError
from survkit.recipe import Recipe
from survkit.training.candidates import NO_VALIDATION, candidates
from survkit.training.fit_part import Part, PartResult, fit_part
from survkit.training.held_out_score import HeldOutScore, held_out_score
from survkit.training.inner_folds import inner_folds

log = logging.getLogger("survkit.training")
CHOICE_FILE = "choice.json"
CANDIDATES = "candidates"


@dataclass(frozen=True, slots=True)
class Tried:
    """One candidate and how it did.

    Attributes:
        values: By path of the recipe.
        score: By the recipe's monitor; ``None`` if it diverged.
        facts: What else is written down about it.
    """

    values: dict[str, Any]
    score: float | None
    facts: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts."""
        return {"values": self.values, "score": self.score, **self.facts}


def fit_best(part: Part, folder: Path) -> tuple[PartResult, dict[str, Any]]:
    """Fit the recipe, after choosing its values where it has a search.

    Every candidate has the same inner folds, seeds and budget. The one of best mean score over the
    inner folds is fitted anew on the whole training part; of equal ones the first written wins.
    With ``search_folds: 1`` candidates are fitted on the whole training part and compared on the
    validation part.

    Returns:
        The model, in the folder, and what was chosen with every candidate's score.

    Raises:
        ConfigError: There is something to choose and nobody to choose on.
        DivergedError: Every candidate diverged.
    """
    if not part.recipe.search:
        return fit_part(part, folder), {}
    single = part.recipe.training.search_folds == 1
    if single and not part.validation:
        raise ConfigError(NO_VALIDATION)
    tried = candidates(part.recipe)
    choice = _read_choice(folder / CHOICE_FILE) if part.resume else None
    if choice is None:
        scored = _on_validation(part, folder, tried) if single else _on_folds(part, folder, tried)
        choice = _choose(part, scored)
        if single:
            best = folder / CANDIDATES / str(choice["number"])
            shutil.copytree(best, folder, dirs_exist_ok=True)
        write_bytes(folder / CHOICE_FILE, (json.dumps(choice, indent=1) + "\n").encode())
    shutil.rmtree(folder / CANDIDATES, ignore_errors=True)
    chosen = replace(part, recipe=tried[choice["number"]][1], resume=part.resume or single)
    return fit_part(chosen, folder), choice


def _choose(part: Part, scored: Sequence[Tried]) -> dict[str, Any]:
    """Return what is written down about the choice.

    Raises:
        DivergedError: Every candidate diverged.
    """
    config = part.recipe.training
    sign = 1.0 if config.monitor == "loss" else -1.0
    finite = [(sign * one.score, n) for n, one in enumerate(scored) if one.score is not None]
    if not finite:
        raise DivergedError(
            f"all {len(scored)} candidates of the search diverged; the first, {scored[0].values}: "
            f"{scored[0].facts['diverged']}"
        )
    _, number = min(finite)
    log.info("search: %s was chosen of %d", scored[number].values, len(scored))
    return {
        "number": number,
        "chosen": scored[number].values,
        "monitor": config.monitor,
        "search_folds": config.search_folds,
        "scores": [one.to_json() for one in scored],
    }


def _on_validation(
    part: Part, folder: Path, tried: Sequence[tuple[dict[str, Any], Recipe]]
) -> list[Tried]:
    """Fit every candidate on the training part and score it on the validation part."""
    scored = []
    for number, (values, recipe) in enumerate(tried):
        try:
            result = fit_part(replace(part, recipe=recipe), folder / CANDIDATES / str(number))
            scored.append(Tried(values, result.score, {}))
        except DivergedError as error:
            scored.append(_diverged(values, error))
    return scored


def _on_folds(
    part: Part, folder: Path, tried: Sequence[tuple[dict[str, Any], Recipe]]
) -> list[Tried]:
    """Fit every candidate without each inner fold, and score it there."""
    config = part.recipe.training
    count = config.search_folds
    divided = inner_folds(part.cohort, part.train, count, config.seed)
    scored = []
    with _bar(part, len(tried) * count) as advance:
        for number, (values, recipe) in enumerate(tried):
            found = []
            try:
                for position, inner in enumerate(divided):
                    one = replace(
                        part,
                        recipe=recipe,
                        train=inner.train,
                        seed=(*part.seed, position),
                        progress=False,
                    )
                    home = folder / CANDIDATES / str(number) / f"inner-{position}"
                    found.append(held_out_score(fit_part(one, home).fitted, one, inner.left_out))
                    advance()
                scored.append(_mean(values, found, config.monitor))
            except DivergedError as error:
                scored.append(_diverged(values, error))
    return scored


def _mean(values: dict[str, Any], found: Sequence[HeldOutScore], monitor: str) -> Tried:
    by_fold = {
        "concordance": [one.concordance for one in found],
        "loss": [one.loss for one in found],
    }
    if monitor == "antolini":
        by_fold["antolini"] = [one.antolini for one in found if one.antolini is not None]
    means = {name: sum(numbers) / len(numbers) for name, numbers in by_fold.items()}
    return Tried(values, means[monitor], {**means, "folds": by_fold})


def _diverged(values: dict[str, Any], error: DivergedError) -> Tried:
    log.warning("search: %s diverged and counts as worst: %s", values, error)
    return Tried(values, None, {"diverged": str(error)})


def _read_choice(path: Path) -> dict[str, Any] | None:
    """Return the choice of an interrupted run, if it had come so far."""
    if not path.is_file():
        return None
    try:
        choice: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        int(choice["number"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(
            f"{path}: damaged ({error}); delete the file to search again, or start anew with "
            "--overwrite"
        ) from error
    return choice


@contextmanager
def _bar(part: Part, total: int) -> Iterator[Any]:
    """Show how many of the inner trainings are done; nothing where there is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    shown = part.progress and console.is_terminal
    with Progress(console=console, disable=not shown, transient=True) as bar:
        task = bar.add_task("search", total=total)
        yield lambda: bar.advance(task)
