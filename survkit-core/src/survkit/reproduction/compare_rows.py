"""Every row of a table against its reference, on the same subjects and folds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from survkit.comparison import Comparison, compare
from survkit.errors import UserError
from survkit.evaluation import Predictions
from survkit.reproduction.published_table import Reproduction


def compare_rows(
    table: Reproduction,
    done: Mapping[str, Predictions | Path],
    *,
    replicates: int,
    permutations: int,
) -> tuple[Comparison | None, str]:
    """Compare every row that has predictions with the reference, or say why that is not possible.

    Args:
        table: What was published.
        done: By label, predictions or the run that holds them.
        replicates: Bootstrap resamples of differences; 0 for no intervals.
        permutations: Random swaps of the paired permutation test.
    """
    reference = table.reference_row.label
    if reference not in done:
        return None, f"the reference row '{reference}' has no result"
    if len(done) < 2:
        return None, f"no other row than the reference '{reference}' has a result"
    try:
        found = compare(
            dict(done),
            metric=table.keys,
            reference=reference,
            replicates=resamples(replicates),
            permutations=permutations,
        )
    except UserError as error:
        return None, str(error)
    return found, ""


def resamples(replicates: int) -> int:
    """Return how many resamples give an interval: none where there is but one, without spread."""
    return 0 if replicates < 2 else replicates


def difference_json(compared: Comparison | None, key: str, label: str) -> dict[str, Any]:
    """Return difference, permutation test and adjusted p of a row; nothing for the reference."""
    if compared is None:
        return {}
    return {
        name: value
        for pair in compared.metrics[key].pairs
        if pair.first == label
        for name, value in (
            ("difference", pair.difference.to_json()),
            ("permutation", pair.permutation.to_json()),
            ("p_holm", pair.p_holm),
        )
    }
