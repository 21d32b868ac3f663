"""Models are compared on the same subjects, outcomes and folds, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.errors import DataError
from survkit.evaluation.predictions import Predictions

_ANSWERS = {
    "causes": "compare models of the same outcome",
    "time_unit": "predict in the same unit",
    "horizon": "set the same outcome.horizon in every recipe",
    "time_grid": "set the same outcome.evaluation_points in every recipe",
    "splits_hash": "run all models with one file of splits: survkit cv --splits",
}


def matched(predictions: Mapping[str, Predictions]) -> dict[str, Predictions]:
    """Return the tables in one order of rows, by repeat and subject.

    Args:
        predictions: By name of the model.

    Raises:
        DataError: Fewer than two models, or subjects, outcomes, folds, horizon or times differ;
            with the models' names, the first subject and what to do.
    """
    if len(predictions) < 2:
        raise DataError(f"a comparison needs two models at least, not {len(predictions)}")
    (name, table), *others = predictions.items()
    for other, against in others:
        _check_static((name, table), (other, against))
        _check_rows((name, table), (other, against))
    found = {each: _ordered(one) for each, one in predictions.items()}
    for other, _ in others:
        _check_columns((name, found[name]), (other, found[other]))
        _check_static((name, table), (other, found[other]), ("splits_hash",))
    return found


Named = tuple[str, Predictions]


def _check_static(
    first: Named,
    second: Named,
    facts: tuple[str, ...] = ("causes", "time_unit", "horizon", "time_grid"),
) -> None:
    for fact in facts:
        values = [getattr(table, fact) for _, table in (first, second)]
        if not np.array_equal(*values):
            shown = [v.tolist() if isinstance(v, np.ndarray) else v for v in values]
            raise DataError(
                f"{first[0]} and {second[0]} cannot be compared: {fact} is {shown[0]} in the first "
                f"and {shown[1]} in the second; {_ANSWERS[fact]}"
            )


def _check_rows(first: Named, second: Named) -> None:
    """Refuse different subjects or numbers of repeats."""
    rows = [
        set(zip(t.subject.tolist(), t.repeat.tolist(), strict=True)) for _, t in (first, second)
    ]
    for (here, _), (there, _), missing in (
        (first, second, rows[0] - rows[1]),
        (second, first, rows[1] - rows[0]),
    ):
        if missing:
            subject, repeat = min(missing)
            raise DataError(
                f"{first[0]} and {second[0]} cannot be compared: subject {subject} in repeat "
                f"{repeat} is in {here} but not in {there} ({len(missing)} such rows); predict the "
                "same subjects with both"
            )


def _check_columns(first: Named, second: Named) -> None:
    """Refuse different outcomes or folds of tables in one order."""
    for column, answer in {
        "duration": "the tables were made from different outcomes",
        "event": "the tables were made from different outcomes",
        "entry": "the tables were made from different outcomes",
        "weight": "weigh the subjects alike",
        "fold": _ANSWERS["splits_hash"],
    }.items():
        mine, others = getattr(first[1], column), getattr(second[1], column)
        if (mine is None) != (others is None):
            holder, lacks = (first, second) if others is None else (second, first)
            raise DataError(
                f"{first[0]} and {second[0]} cannot be compared: {holder[0]} has a column {column} "
                f"and {lacks[0]} has none; {answer}"
            )
        if mine is not None and (mine != others).any():
            _refuse_row(first, second, column, np.flatnonzero(mine != others), answer)


def _refuse_row(first: Named, second: Named, column: str, rows: NDArray[Any], answer: str) -> None:
    values = [getattr(table, column)[rows[0]] for _, table in (first, second)]
    raise DataError(
        f"{first[0]} and {second[0]} cannot be compared: {column} of subject "
        f"{first[1].subject[rows[0]]} is {values[0]:g} in the first and {values[1]:g} in the "
        f"second ({len(rows)} such rows); {answer}"
    )


def _ordered(table: Predictions) -> Predictions:
    return table.select(np.lexsort((table.subject, table.repeat)))
