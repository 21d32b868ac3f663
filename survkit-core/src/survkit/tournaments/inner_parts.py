"""On whom a composition is scored inside a training part, so that the best can be chosen there."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from survkit.data import Cohort, FoldRows, Splits
from survkit.errors import ConfigError, DataError, UserError
from survkit.metrics.estimate import Estimate
from survkit.metrics.harrell import harrell_concordance
from survkit.recipe import Recipe
from survkit.training.check_order import check_order
from survkit.training.fit_outcome import fit_outcome
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
            for one in inner_folds(cohort, train, folds, recipe.training.seed)
        ]
    if not validation:
        raise ConfigError(
            "the best composition is chosen on the validation part, and there is none; set "
            "training.validation above 0, or choose by an inner cross-validation (--inner-folds 3)"
        )
    return [InnerPart(train, validation, validation)]


def check_inner_parts(recipe: Recipe, cohort: Cohort, splits: Splits, folds: int) -> None:
    """Refuse a fold in which a part teaches nothing, or no two of its scored subjects can be
    compared up to the horizon.

    Raises:
        UserError: With the name of the fold.
    """
    for fold in splits.folds:
        try:
            for part in inner_parts(recipe, cohort, splits.rows(fold, cohort.subjects), folds):
                fit_outcome(recipe, cohort, part.train)
                check_order(cohort, part.train)
                _check_pair(recipe, cohort, part.scored)
        except UserError as error:
            raise type(error)(f"{fold.name}: {error}") from error


def _check_pair(recipe: Recipe, cohort: Cohort, rows: list[int]) -> None:
    target = cohort.target(rows)
    scores = torch.zeros(len(rows), dtype=torch.float64)
    found = [
        harrell_concordance(scores, target, cause=cause, tau=recipe.outcome.horizon)
        for cause in range(1, len(cohort.causes) + 1)
    ]
    if not any(isinstance(one, Estimate) for one in found):
        raise DataError(
            f"no two of the {len(rows)} subjects on whom the best composition would be chosen can "
            "be compared; set training.validation or --inner-folds otherwise"
        )
