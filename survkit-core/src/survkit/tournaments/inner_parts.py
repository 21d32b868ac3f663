"""On whom a composition is scored inside a training part, so that the best can be chosen there."""

from __future__ import annotations

from dataclasses import dataclass

from survkit.data import Cohort, FoldRows, Splits
from survkit.errors import ConfigError, DataError, UserError
from survkit.recipe import Recipe
from survkit.training.check_order import check_order
from survkit.training.fit_outcome import fit_outcome
from survkit.training.horizon_pair import has_horizon_pair
from survkit.training.inner_folds import inner_folds


@dataclass(frozen=True, slots=True)
class InnerPart:
    """One division of a training part, as positions in the cohort. No test subject is in it.

    Attributes:
        train: Those on whom the composition is fitted.
        validation: Those who choose the epoch.
        scored: Those on whom compositions are compared.
    """

    train: list[int]
    validation: list[int]
    scored: list[int]

    @property
    def baseline_train(self) -> list[int]:
        """Those a baseline is fitted on: it chooses no epoch, so nobody is kept back for it."""
        return sorted({*self.train, *self.validation} - {*self.scored})


def inner_parts(recipe: Recipe, cohort: Cohort, rows: FoldRows, folds: int) -> list[InnerPart]:
    """Return the parts on which compositions are scored.

    With one fold that is the validation part, on which the model of the outer fold is scored as it
    is. With more, training subjects are divided as ``search`` divides them, and the validation part
    goes on choosing the epoch.

    Raises:
        ConfigError: There is no validation part.
        DataError: Too few events for so many folds.
    """
    train, validation = rows.train.tolist(), rows.validation.tolist()
    if folds > 1:
        return [
            InnerPart(one.train, validation, one.left_out)
            for one in inner_folds(
                cohort, train, folds, recipe.training.seed, setting="--inner-folds"
            )
        ]
    if not validation:
        raise ConfigError(
            "the best composition is chosen on the validation part, and there is none; set "
            "training.validation above 0, or choose by an inner cross-validation (--inner-folds 3)"
        )
    return [InnerPart(train, validation, validation)]


def check_inner_parts(
    recipe: Recipe, cohort: Cohort, splits: Splits, folds: int, *, cause: int
) -> None:
    """Refuse a fold in which a part teaches nothing, or no two of its scored subjects can be
    compared up to the horizon.

    Args:
        recipe: Any of the tournament: they agree on seed, validation part and horizon.
        cohort: Read with its outcome.
        splits: The outer division.
        folds: Inner folds; 1 for the validation part.
        cause: Code of the cause by which the best is chosen.

    Raises:
        UserError: With the name of the fold.
    """
    for fold in splits.folds:
        try:
            for part in inner_parts(recipe, cohort, splits.rows(fold, cohort.subjects), folds):
                fit_outcome(recipe, cohort, part.train)
                check_order(cohort, part.train)
                _check_pair(recipe, cohort, part.scored, cause)
        except UserError as error:
            raise type(error)(f"{fold.name}: {error}") from error


def _check_pair(recipe: Recipe, cohort: Cohort, rows: list[int], cause: int) -> None:
    if not has_horizon_pair(cohort, rows, recipe.outcome.horizon, cause=cause):
        raise DataError(
            f"no two of the {len(rows)} subjects on whom the best composition would be chosen can "
            f"be compared (cause '{cohort.causes[cause - 1]}', up to the horizon); set "
            "training.validation or --inner-folds otherwise"
        )
