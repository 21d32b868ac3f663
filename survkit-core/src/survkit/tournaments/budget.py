"""What each composition may spend in a training part: nobody wins by training longer.

The budget is counted before anything trains, in the units that cost: trainings, epochs, optimizer
steps (one per risk set) and subjects passed through the network. Early stopping may spend less, so
its rule is equal too.
A baseline has no epochs: it is fitted until its own solver is done, and has no budget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from survkit.data import Cohort, Splits
from survkit.recipe import Recipe
from survkit.tournaments.compositions import Composition
from survkit.tournaments.inner_parts import inner_parts
from survkit.training.candidates import candidates
from survkit.training.inner_folds import inner_folds
from survkit.training.sampler import RiskSetSampler


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so much, over all trainings of a part.

    Attributes:
        tried: Combinations of the values of ``search``.
        trainings: Networks that are trained, members and inner folds counted.
        epochs: Over all trainings.
        steps: Optimizer steps, one per risk set.
        passes: Subjects that go through the network in training, each epoch counted.
    """

    tried: int
    trainings: int
    epochs: int
    steps: int
    passes: int

    def __add__(self, other: Budget) -> Budget:
        """Add what is spent; what was tried is the same."""
        return Budget(
            max(self.tried, other.tried),
            self.trainings + other.trainings,
            self.epochs + other.epochs,
            self.steps + other.steps,
            self.passes + other.passes,
        )

    def to_json(self) -> dict[str, int]:
        """Plain numbers."""
        return asdict(self)


_NOTHING = Budget(0, 0, 0, 0, 0)
_WORDS = {
    "tried": "values of search to try",
    "trainings": "trainings",
    "epochs": "epochs",
    "steps": "optimizer steps",
    "passes": "passes of a subject",
}


def budgets(
    compositions: Sequence[Composition], cohort: Cohort, splits: Splits, folds: int
) -> dict[str, list[Budget] | None]:
    """Return by composition what it may spend in each outer fold; ``None`` for a baseline.

    Args:
        compositions: Those that fit.
        cohort: With its outcome.
        splits: The outer division.
        folds: Inner folds by which the best is chosen; 1 for the validation part.
    """
    found: dict[str, list[Budget] | None] = {}
    for one in compositions:
        if one.recipe.baseline is not None:
            found[one.name] = None
            continue
        found[one.name] = [
            _of_fold(one.recipe, cohort, splits, number, folds)
            for number in range(len(splits.folds))
        ]
    return found


def first_difference(
    compositions: Sequence[Composition],
    found: Mapping[str, Sequence[Budget] | None],
    names: Sequence[str],
) -> str | None:
    """Return in words which network may first spend more than another; ``None`` where none may.

    Args:
        compositions: Those that fit.
        found: By composition, by outer fold.
        names: Of the outer folds.
    """
    networks = [(one, found[one.name]) for one in compositions if one.recipe.baseline is None]
    for one, parts in networks[1:]:
        first, expected = networks[0]
        for fold, mine, others in zip(names, expected or (), parts or (), strict=True):
            for unit, words in _WORDS.items():
                here, there = getattr(mine, unit), getattr(others, unit)
                if here != there:
                    return (
                        f"in {fold} '{first.name}' has at most {here} {words} and "
                        f"'{one.name}' {there}; make training.epochs, risk_set, members, search "
                        "and search_folds alike"
                    )
        if _patience(first.recipe) != _patience(one.recipe):
            return (
                f"'{first.name}' stops {_stops(first.recipe)} and '{one.name}' "
                f"{_stops(one.recipe)}; make training.patience alike"
            )
    return None


def _patience(recipe: Recipe) -> list[int | None]:
    """Return the patience of every candidate, in the order of writing, each once."""
    return list(dict.fromkeys(one.training.patience for _, one in candidates(recipe)))


def _stops(recipe: Recipe) -> str:
    own = ", ".join("none" if one is None else str(one) for one in _patience(recipe))
    return f"early with patience {own}" if own != "none" else "after its last epoch"


def _of_fold(recipe: Recipe, cohort: Cohort, splits: Splits, number: int, folds: int) -> Budget:
    rows = splits.rows(splits.folds[number], cohort.subjects)
    total = fit_budget(recipe, cohort, rows.train.tolist())
    if folds > 1:
        for part in inner_parts(recipe, cohort, rows, folds):
            total += fit_budget(recipe, cohort, part.train)
    return total


def fit_budget(recipe: Recipe, cohort: Cohort, train: Sequence[int]) -> Budget:
    """Return what fitting a recipe on a training part may spend, its search included.

    The winner of a search is not known beforehand; the costliest candidate is counted.
    """
    tried = [one for _, one in candidates(recipe)]
    own = [_trainings(one, cohort, train) for one in tried]
    if len(tried) == 1 and not recipe.search:
        spent = own[0]
    elif recipe.training.search_folds == 1:
        spent = sum(own, _NOTHING)
    else:
        parts = inner_folds(cohort, train, recipe.training.search_folds, recipe.training.seed)
        inner = [_trainings(one, cohort, part.train) for one in tried for part in parts]
        spent = sum(inner, _NOTHING) + max(own, key=lambda one: (one.steps, one.passes))
    return Budget(len(tried), spent.trainings, spent.epochs, spent.steps, spent.passes)


def steps_per_epoch(recipe: Recipe, cohort: Cohort, train: Sequence[int]) -> int:
    """Return the number of risk sets into which a training part is cut."""
    return RiskSetSampler(
        rows=train,
        target=cohort.target(train),
        risk_set=recipe.training.risk_set,
        micro_batch=recipe.training.micro_batch,
        seed=(0,),
    ).sets


def _trainings(recipe: Recipe, cohort: Cohort, train: Sequence[int]) -> Budget:
    config = recipe.training
    epochs = config.members * config.epochs
    steps = epochs * steps_per_epoch(recipe, cohort, train)
    return Budget(1, config.members, epochs, steps, epochs * len(train))
