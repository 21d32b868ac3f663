"""What was observed: the Aalen–Johansen incidence of a part's own subjects, in every resample.

With one cause it is 1 minus Kaplan–Meier. Case weights and delayed entry are honoured.
"""

from __future__ import annotations

from torch import Tensor

from survkit.evaluation.part import Part
from survkit.metrics.estimate import Undefined
from survkit.nonparametric.incidence_replicates import incidence_replicates


def incidence_at(part: Part, times: Tensor) -> Tensor:
    """Return P(event of the cause by t); float64 (replicate, time).

    Args:
        part: Whose rows.
        times: float64 (time); the last value is kept after the last duration.
    """
    return incidence_replicates(part.target, part.drawn, part.cause, times)


def unobserved(part: Part) -> Undefined | None:
    """Say that follow-up ends before the horizon, if it does."""
    table, target = part.predictions, part.target
    last = float(target.duration.max())
    ended = bool((target.event[target.duration == last] > 0).all())
    if last >= table.horizon or ended:
        return None
    return part.undefined(
        f"the last subject is censored at {last:g}, before the horizon {table.horizon:g}, so "
        "what was observed by the horizon is unknown"
    )
