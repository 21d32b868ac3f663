"""Whether some subjects can teach an order: one had the event while another was still at risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survkit.flow import SurvivalTarget


@dataclass(frozen=True, slots=True, eq=False)
class FollowUp:
    """The observed outcome as arrays on the host.

    Attributes:
        duration: float64 (subject).
        observed: Whether an event of any cause was observed; bool (subject).
        entry: Delayed entry; float64 (subject).
        strata: int64 (subject).
    """

    duration: NDArray[np.float64]
    observed: NDArray[np.bool_]
    entry: NDArray[np.float64]
    strata: NDArray[np.int64]

    @classmethod
    def of(cls, target: SurvivalTarget) -> FollowUp:
        """Read a target once, before training."""
        duration = target.duration.double().cpu().numpy()
        entry, strata = target.entry, target.strata
        return cls(
            duration=duration,
            observed=(target.event > 0).cpu().numpy(),
            entry=np.full_like(duration, -np.inf) if entry is None else entry.cpu().numpy(),
            strata=np.zeros(len(duration), np.int64) if strata is None else strata.cpu().numpy(),
        )

    def partners(self, subject: int, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return who of ``rows`` outlives the subject's event: same stratum, at risk at that
        time.
        """
        time = self.duration[subject]
        later = (self.duration[rows] > time) | (
            (self.duration[rows] == time) & ~self.observed[rows]
        )
        at_risk = later & (self.entry[rows] < time)
        same: NDArray[np.bool_] = at_risk & (self.strata[rows] == self.strata[subject])
        return same

    def has_pair(self, rows: NDArray[np.int64]) -> bool:
        """Whether any two of ``rows`` are comparable."""
        events = rows[self.observed[rows]]
        order = np.argsort(self.duration[events], kind="stable")
        return any(bool(self.partners(event, rows).any()) for event in events[order])
