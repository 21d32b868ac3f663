"""What of a baseline is refused before anything is written or fitted, in every fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import cat

from survkit.baselines import check_baseline, check_fold
from survkit.data import Cohort, FoldRows, Splits
from survkit.errors import DataError, UserError
from survkit.recipe import Recipe
from survkit.training.candidates import candidates
from survkit.training.check_order import check_order
from survkit.training.fit_outcome import fit_outcome

if TYPE_CHECKING:
    from survkit.registry import Registry


def check_baseline_run(recipe: Recipe, cohort: Cohort, splits: Splits, registry: Registry) -> None:
    """Refuse what would fail later: in another fold, or with another value of the search.

    Raises:
        UserError: Recipe, cohort and division do not fit; the message names the fold.
    """
    tried = [one for _, one in candidates(recipe)]
    for one in tried:
        check_baseline(one, cohort, registry)
    for fold in splits.folds:
        rows = baseline_rows(splits.rows(fold, cohort.subjects))
        try:
            fit_outcome(recipe, cohort, rows.tolist())
            check_order(cohort, rows.tolist())
            for name in recipe.modalities:
                if not bool(np.any(cohort.available(name)[rows])):
                    raise DataError(
                        f"{cohort.source}: no training subject has the modality '{name}'; leave "
                        "it out of inputs, or divide the cohort otherwise"
                    )
            check_fold(tried, cohort, rows, registry)
        except UserError as error:
            raise type(error)(f"{fold.name}: {error}") from error


def baseline_rows(rows: FoldRows) -> NDArray[np.int64]:
    """Return those a baseline is fitted on: training and validation subjects together.

    It chooses by an inner cross-validation, so nobody need be set aside.
    """
    together: NDArray[np.int64] = cat([rows.train, rows.validation]).sort().values.numpy()
    return together
