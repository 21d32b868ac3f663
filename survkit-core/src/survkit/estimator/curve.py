"""Predicted curves as functions of time, as scikit-survival's scorers call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.prediction import SurvivalPrediction

Floats = NDArray[np.float64]
Evaluate = Callable[[torch.Tensor], torch.Tensor]


class CurveTable:
    """The curves of all subjects of a prediction; what was asked last is kept.

    A scorer asks one subject after another for the same times.
    """

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self._asked: bytes | None = None
        self._values: Floats = np.empty((0, 0))

    def at(self, times: Floats) -> Floats:
        """Return (subject, time)."""
        key = times.tobytes()
        if key != self._asked:
            self._values = self._evaluate(torch.from_numpy(times)).double().numpy()
            self._asked = key
        return self._values


class PredictedCurve:
    """The survival or cumulative hazard of one subject, a function of time.

    It is evaluated as survkit evaluates its predictions (exact between the times of ``x``), and
    beyond its domain it is refused, not extrapolated.

    Attributes:
        x: The estimator's ``unique_times_``.
        y: The curve there.
    """

    def __init__(self, table: CurveTable, row: int, x: Floats, last_time: float) -> None:
        self._table, self._row = table, row
        self._last_time = last_time
        self.x = x
        self.y = table.at(x)[row]

    @property
    def domain(self) -> tuple[float, float]:
        """From when to when it may be asked."""
        return 0.0, self._last_time

    def __call__(self, times: Any) -> Any:
        """Return the value at each time, a number for a single one.

        Raises:
            DataError: A time lies outside the domain.
        """
        asked = np.atleast_1d(np.asarray(times, dtype=np.float64))
        found = self._table.at(asked)[self._row]
        return found[0] if np.ndim(times) == 0 or len(asked) == 1 else found.copy()

    def __repr__(self) -> str:
        return f"PredictedCurve(x={self.x!r}, y={self.y!r})"


def curves(prediction: SurvivalPrediction, evaluate: Evaluate, x: Floats) -> NDArray[np.object_]:
    """Return one curve per subject; object (subject)."""
    table = CurveTable(evaluate)
    found = np.empty(len(table.at(x)), dtype=object)
    for row in range(len(found)):
        found[row] = PredictedCurve(table, row, x, prediction.last_time)
    return found
