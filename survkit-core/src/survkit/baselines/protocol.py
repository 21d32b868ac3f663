"""What a baseline is: a model of one event, fitted on a matrix of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TrainingPart:
    """Those whom a baseline is fitted on.

    Attributes:
        features: Without missing values; float64 (subject, column).
        duration: > 0; float64 (subject).
        observed: Whether the duration ended with the event; bool (subject).
        seed: Of everything random in the fit.
    """

    features: Floats
    duration: Floats
    observed: Bools
    seed: int


@dataclass(frozen=True, slots=True)
class Curves:
    """Step functions of some subjects, right-continuous.

    Attributes:
        times: Where they may step, increasing and > 0; float64 (time).
        survival: S(t); float64 (subject, time).
        cumulative_hazard: H(t); float64 (subject, time). Of a forest it is not -log S(t): each is
            the mean over trees.
    """

    times: Floats
    survival: Floats
    cumulative_hazard: Floats


class FittedBaseline(Protocol):
    """A fitted baseline."""

    def risk_score(self, features: Floats) -> Floats:
        """Higher means an earlier event; (subject)."""

    def curves(self, features: Floats) -> Curves:
        """Return the curves of the subjects."""


class Baseline(Protocol):
    """A model that has not seen any data. Built as ``Baseline(**settings)``.

    Attributes:
        software: Distributions that compute it; their versions go into ``run.json``.
    """

    software: tuple[str, ...]

    def fit(self, part: TrainingPart, penalty: float | None) -> FittedBaseline:
        """Fit; ``penalty`` is ``None`` where nothing was chosen.

        Raises:
            DataError: The part cannot be fitted; the message says what would help.
        """


@runtime_checkable
class HasPath(Protocol):
    """A baseline whose penalty is chosen by inner cross-validation where none is set."""

    @property
    def penalty(self) -> float | None:
        """The penalty that was set; ``None`` to choose."""

    def path(self, part: TrainingPart) -> tuple[float, ...]:
        """Return the penalties to choose among, the strongest first."""

    def path_scores(
        self, part: TrainingPart, penalties: Sequence[float], features: Floats
    ) -> Floats:
        """Fit at every penalty and return the risk scores of other subjects; (penalty, subject)."""
