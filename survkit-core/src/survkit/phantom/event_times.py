"""When the event happens and what is seen of it: Weibull hazards, competing causes, two kinds of
censoring.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survkit.errors import ConfigError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeibullBaseline:
    """Cause-specific baseline hazards ``shape / scale * (t / scale) ** (shape - 1)`` with a common
    shape.

    The common shape keeps the cumulative incidence in closed form.

    Attributes:
        shape: Above 1 the hazard rises with time.
        scales: Days, one per cause: the time by which 63 % of the subjects of log hazard 0 had that
            cause's event,
            were it alone.
    """

    shape: float = 1.3
    scales: tuple[float, ...] = (800.0, 2500.0)

    def __post_init__(self) -> None:
        if (
            not all(np.isfinite(value) and value > 0 for value in (self.shape, *self.scales))
            or not self.scales
        ):
            raise ConfigError(
                "the Weibull shape and scales must be positive numbers, "
                f"not shape {self.shape}, scales {self.scales}"
            )

    def rates(self, log_hazard: Floats) -> Floats:
        """Return r with cumulative hazard ``r * t ** shape``; (subject, cause)."""
        return np.exp(log_hazard) * np.asarray(self.scales) ** -self.shape

    def cumulative_hazard(self, log_hazard: Floats, times: Floats) -> Floats:
        """Cause-specific cumulative hazards (subject, cause, time)."""
        return np.asarray(self.rates(log_hazard)[:, :, None] * times**self.shape)

    def cumulative_incidence(self, log_hazard: Floats, times: Floats) -> Floats:
        """P(event of cause k by t), (subject, cause, time): the cause's share of the hazard times 1
        - S(t).
        """
        rates = self.rates(log_hazard)
        total = rates.sum(axis=1, keepdims=True)
        happened = -np.expm1(-total[:, :, None] * times**self.shape)
        return np.asarray((rates / total)[:, :, None] * happened)

    def event_times(
        self, log_hazard: Floats, exponentials: Floats
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Return the first event's time in days and cause 1..K, given standard exponential draws
        (subject, cause).
        """
        latent = (exponentials / self.rates(log_hazard)) ** (1 / self.shape)
        return latent.min(axis=1), latent.argmin(axis=1) + 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is observed and what is hidden; each (subject), times in days.

    Attributes:
        duration: Time to the event or to censoring, whichever comes first.
        event: 0 censored, 1..K the cause.
        event_time: The event's true time, seen or not.
        event_cause: Its true cause 1..K.
        censoring_time: End of observation.
    """

    duration: Floats
    event: NDArray[np.int64]
    event_time: Floats
    event_cause: NDArray[np.int64]
    censoring_time: Floats


def observe(event_time: Floats, event_cause: NDArray[np.int64], censoring_time: Floats) -> Outcome:
    """Return what is seen when observation ends at ``censoring_time``; an event at that very time
    is seen.
    """
    event = np.where(event_time <= censoring_time, event_cause, 0)
    return Outcome(
        np.minimum(event_time, censoring_time), event, event_time, event_cause, censoring_time
    )


def find_censoring_rate(
    baseline: WeibullBaseline, log_hazard: Floats, follow_up: float, censored: float
) -> float:
    """Find the rate per day of exponential random censoring that gives a chosen share of censored
    subjects.

    Args:
        baseline: The hazards.
        log_hazard: Of a population, (subject, cause).
        follow_up: Days after which everybody is censored.
        censored: Share of censored subjects wanted, of both kinds together.

    Raises:
        ConfigError: The end of follow-up alone censors more than that.
    """
    total = baseline.rates(log_hazard).sum(axis=1)
    nodes, weights = np.polynomial.legendre.leggauss(32)
    last = -np.expm1(-total * follow_up**baseline.shape)
    # integrate over the event's probability instead of its time: smooth however early the events
    # are
    probability = last[:, None] * (nodes + 1) / 2
    time = (-np.log1p(-probability) / total[:, None]) ** (1 / baseline.shape)

    def share(rate: float) -> float:
        return 1 - float((last * (np.exp(-rate * time) @ weights) / 2).mean())

    least = share(0.0)
    if censored < least:
        raise ConfigError(
            f"a follow-up of {follow_up:g} days alone leaves {least:.1%} of the subjects without "
            f"an event, so a censored share of {censored:.1%} cannot be reached; follow for longer "
            "or ask for a larger share"
        )
    low, high = 0.0, 1.0 / follow_up
    while share(high) < censored:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if share(middle) < censored else (low, middle)
    return (low + high) / 2
