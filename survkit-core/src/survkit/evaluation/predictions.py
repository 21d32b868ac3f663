"""The one table that metrics, comparison, audit and report read: what was predicted for whom, and
what happened.

Cross-validation writes out-of-fold predictions once. A table with one fold is a held-out test set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.errors import DataError
from survkit.evaluation.incidence_interpolation import at_own_time, at_times
from survkit.evaluation.predictions_check import check_predictions
from survkit.flow import SurvivalTarget

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Texts: TypeAlias = NDArray[np.str_]

_STATIC = ("causes", "time_unit", "horizon", "time_grid", "model", "splits_hash", "seed")


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """Out-of-fold predictions, one row per subject and repeat; every array is checked on
    construction.

    Attributes:
        subject: Subject identifiers; str (row). A subject appears once in a repeat.
        repeat: Number of the cross-validation repeat, from 0; int64 (row).
        fold: The fold that held the subject out; its model was trained on the other folds of the
            same repeat;
            int64 (row).
        duration: Time to event or censoring in ``time_unit``, > 0; float64 (row).
        event: 0 for censored, k for ``causes[k - 1]``; int64 (row).
        causes: Names of the causes of the event.
        time_unit: Unit of every time.
        horizon: The time up to which statements are made.
        time_grid: Increasing times of ``cumulative_incidence``, the last equal to the horizon;
            float64 (grid).
        cumulative_incidence: P(event of the cause by the time); float64 (row, cause, grid).
            ``None`` for a table of risk scores alone: metrics that need probabilities are then
            undefined.
        risk_score: Higher means an earlier event of the cause; float64 (row, cause). Scores of
            different folds come
            from different models and need not share a scale.
        model: Name of the model or run.
        splits_hash: Hash of the file of splits.
        seed: Seed of the run.
        entry: Delayed entry, >= 0 and before the duration; float64 (row).
        weight: Case weight, > 0; float64 (row).
        site: The centre; str (row).
        group: What the subject belongs to and never leaves in a division, such as the patient of an
            image; str (row).
        strata: Group with its own baseline hazard; concordances compare within groups only; int64
            (row).
    """

    subject: Texts
    repeat: Integers
    fold: Integers
    duration: Floats
    event: Integers
    causes: tuple[str, ...]
    time_unit: str
    horizon: float
    time_grid: Floats
    cumulative_incidence: Floats | None
    risk_score: Floats
    model: str
    splits_hash: str
    seed: int
    entry: Floats | None = None
    weight: Floats | None = None
    site: Texts | None = None
    strata: Integers | None = None
    group: Texts | None = None

    def __post_init__(self) -> None:
        check_predictions(self)

    def __len__(self) -> int:
        return len(self.subject)

    @property
    def repeats(self) -> tuple[int, ...]:
        """Numbers of the repeats, increasing."""
        return tuple(int(number) for number in np.unique(self.repeat))

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the sites in sorted order; empty where the table has none."""
        return () if self.site is None else tuple(str(name) for name in np.unique(self.site))

    @property
    def groups(self) -> int:
        """Number of different groups; 0 where the table has none."""
        return 0 if self.group is None else len(np.unique(self.group))

    @property
    def subjects(self) -> int:
        """Number of different subjects."""
        return len(np.unique(self.subject))

    def folds(self, repeat: int) -> tuple[int, ...]:
        """Numbers of the folds of a repeat, increasing."""
        return tuple(int(number) for number in np.unique(self.fold[self.repeat == repeat]))

    def select(self, rows: NDArray[Any]) -> Predictions:
        """Return the rows of an index or mask, in their order."""
        taken = {name: value[rows] for name, value in self._arrays().items() if value is not None}
        return replace(self, **taken)

    def target(self, rows: NDArray[Any] | None = None) -> SurvivalTarget:
        """Return what was observed (of some rows) as the record that metrics take."""
        chosen = slice(None) if rows is None else rows

        def tensor(values: NDArray[Any] | None) -> torch.Tensor | None:
            return None if values is None else torch.from_numpy(values[chosen].copy())

        return SurvivalTarget(
            duration=torch.from_numpy(self.duration[chosen].copy()),
            event=torch.from_numpy(self.event[chosen].copy()),
            entry=tensor(self.entry),
            weight=tensor(self.weight),
            strata=tensor(self.strata),
        )

    def incidence_at(self, times: Sequence[float] | Floats) -> Floats:
        """Return the cumulative incidence at ``times``, linear between grid times from 0 at time 0.

        Args:
            times: Between 0 and the horizon.

        Returns:
            float64 (row, cause, time).

        Raises:
            DataError: A time lies outside, or the table has no probabilities.
        """
        return at_times(self, np.asarray(times, dtype=np.float64).reshape(-1))

    def incidence_of_own(self, times: Floats) -> Floats:
        """Return the cumulative incidence of each row at a time of its own.

        Args:
            times: One per row, between 0 and the horizon; float64 (row).

        Returns:
            float64 (row, cause).

        Raises:
            DataError: A time lies outside, or the table has no probabilities.
        """
        return at_own_time(self, times)

    def fingerprint(self) -> str:
        """Return a hash of all values, equal for equal tables however they were stored."""
        digest = hashlib.sha256()
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "group" and value is None:
                continue  # tables from before groups keep their hash
            digest.update(f"{item.name}:".encode())
            if isinstance(value, np.ndarray):
                text = value.dtype.kind == "U"
                digest.update(json.dumps(value.tolist()).encode() if text else value.tobytes())
            else:
                digest.update(json.dumps(value).encode())
        return digest.hexdigest()

    def write(self, path: str | Path) -> Path:
        """Write the table as Parquet, at once or not at all; see
        :mod:`survkit.evaluation.predictions_file`.
        """
        from survkit.evaluation.predictions_file import write_predictions

        return write_predictions(self, Path(path))

    @classmethod
    def read(cls, path: str | Path) -> Predictions:
        """Read and check a table; see :mod:`survkit.evaluation.predictions_file`.

        Raises:
            DataError: The file is missing, is no such table, or holds what no prediction can be.
        """
        from survkit.evaluation.predictions_file import read_predictions

        return read_predictions(Path(path))

    def _arrays(self) -> dict[str, NDArray[Any] | None]:
        """Everything with one row per subject and repeat, by name."""
        return {
            item.name: getattr(self, item.name) for item in fields(self) if item.name not in _STATIC
        }


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Join the tables of folds and repeats of one model.

    Raises:
        DataError: The tables do not speak of the same outcome, model, splits and times, or a
            subject appears twice
            in a repeat.
    """
    if not parts:
        raise DataError("there are no predictions to concatenate")
    first = parts[0]
    for part in parts[1:]:
        for name in _STATIC:
            if not np.array_equal(getattr(part, name), getattr(first, name)):
                raise DataError(
                    f"predictions to concatenate must agree in {name}, "
                    f"but one says {getattr(first, name)} and another {getattr(part, name)}"
                )
    joined: dict[str, Any] = {}
    for name in first._arrays():
        values = [getattr(part, name) for part in parts]
        missing = [value is None for value in values]
        if any(missing) and not all(missing):
            raise DataError(f"either all predictions to concatenate have the column {name} or none")
        joined[name] = None if missing[0] else np.concatenate(values)
    return replace(first, **joined)
