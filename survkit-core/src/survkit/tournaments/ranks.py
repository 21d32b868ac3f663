"""Ranks of the compositions in every fold, and their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata


def ranks(
    folds: Mapping[str, Sequence[Mapping[str, Any]]], *, best: str
) -> tuple[dict[str, dict[str, Any]], int]:
    """Return by composition its ``mean`` rank (1 is best), in how many folds it was ``first``, and
    the ``ranks`` of all folds; and how many folds were left out.

    Equal values share the mean of their ranks. A fold where the metric is not defined for someone
    ranks nobody: ``None``.

    Args:
        folds: By composition, the results of a metric by fold, as in ``metrics.json``.
        best: ``"highest"`` or ``"lowest"``.
    """
    names = list(folds)
    rows = list(zip(*folds.values(), strict=True))
    known = [all("value" in result for result in row) for row in rows]
    defined = [row for row, one in zip(rows, known, strict=True) if one]
    left_out = len(rows) - len(defined)
    if not defined:
        nobody = {"mean": None, "first": 0, "ranks": [None] * len(rows)}
        return {name: dict(nobody) for name in names}, left_out
    sign = -1.0 if best == "highest" else 1.0
    values = sign * np.array([[result["value"] for result in row] for row in defined])
    table = rankdata(values, axis=1)
    places = np.cumsum(known) - 1
    return {
        name: {
            "mean": float(table[:, place].mean()),
            "first": int((table[:, place] == table.min(axis=1)).sum()),
            "ranks": [
                float(table[row, place]) if one else None
                for row, one in zip(places, known, strict=True)
            ],
        }
        for place, name in enumerate(names)
    }, left_out
