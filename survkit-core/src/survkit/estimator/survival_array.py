"""What happened, as scikit-survival writes it: an event that is true or false, and a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.data.outcome import Outcome
from survkit.errors import DataError

_EXPECTED = (
    "y must be a structured array of an event (bool) and a time (float), such as "
    "sksurv.util.Surv.from_arrays(event, time) makes, or a DataFrame of two such columns"
)


def read_survival(y: Any, rows: int) -> Outcome:
    """Return the outcome of the subjects, 1 for an event.

    Args:
        y: A structured array or a DataFrame.
        rows: Number of subjects in X.

    Raises:
        DataError: Another kind of y, another number of rows, a time that is missing, infinite or
            not above 0, nobody with an event, or event codes of competing causes.
    """
    if y is None:
        raise DataError(
            f"SurvivalEstimator requires y to be passed, but the target y is None: {_EXPECTED}"
        )
    event, time = _fields(y)
    if len(event) != rows:
        raise DataError(f"X has {rows} rows, but y has {len(event)}: a row is a subject in both")
    wrong = np.flatnonzero(~(np.isfinite(time) & (time > 0)))
    if len(wrong):
        raise DataError(
            f"times in y must be finite and above 0, but row {wrong[0]} has {time[wrong[0]]:g} "
            f"({len(wrong)} such rows); correct or leave out the subjects"
        )
    if not event.any():
        raise DataError(
            f"y holds no event: all {rows} subjects are censored, so nothing can be learnt"
        )
    return Outcome(duration=time, event=event.astype(np.int64))


def _fields(y: Any) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return event and time, whichever way they are given."""
    names = getattr(getattr(y, "dtype", None), "names", None)
    if names is not None:
        if len(names) != 2:
            raise DataError(f"{_EXPECTED}; this one has the fields {', '.join(names)}")
        return _event(y[names[0]], names[0]), _time(y[names[1]], names[1])
    if hasattr(y, "columns") and hasattr(y, "dtypes"):
        return _from_frame(y)
    kind = f"{type(y).__name__}{f' of {y.dtype}' if hasattr(y, 'dtype') else ''}"
    raise DataError(f"{_EXPECTED}; this one is a {kind}")


def _from_frame(y: Any) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    columns = list(y.columns)
    if len(columns) != 2:
        raise DataError(f"{_EXPECTED}; this one has {len(columns)} columns")
    logical = [name for name in columns if y[name].dtype.kind == "b"]
    if len(logical) != 1:
        kinds = ", ".join(f"{name} ({y[name].dtype})" for name in columns)
        raise DataError(
            f"{_EXPECTED}; exactly one column must be of type bool, but they are {kinds}; write "
            "the event as y['event'] == 1"
        )
    other = next(name for name in columns if name != logical[0])
    return (
        _event(y[logical[0]].to_numpy(), str(logical[0])),
        _time(y[other].to_numpy(), str(other)),
    )


def _event(values: NDArray[Any], name: str) -> NDArray[np.bool_]:
    values = np.asarray(values)
    if values.dtype.kind in "iu":
        codes = ", ".join(map(str, np.unique(values)[:5]))
        raise DataError(
            f"the event field '{name}' of y holds whole numbers ({codes}), but must be bool: an "
            "estimator of scikit-survival has one survival function and no competing causes; give "
            "the event of one cause, or cross-validate all of them with survkit.cross_validate"
        )
    if values.dtype.kind != "b":
        raise DataError(f"the event field '{name}' of y must be bool, not {values.dtype}")
    return values.astype(bool)


def _time(values: NDArray[Any], name: str) -> NDArray[np.float64]:
    values = np.asarray(values)
    if values.dtype.kind not in "fiu":
        raise DataError(f"the time field '{name}' of y must be numbers, not {values.dtype}")
    return values.astype(np.float64)
