"""The typed prediction of a Weibull head: closed forms, no grid."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from survkit.errors import DataError
from survkit.prediction import Times, check_times


@dataclass(frozen=True, slots=True, kw_only=True)
class WeibullPrediction:
    """One Weibull distribution per subject.

    Attributes:
        log_scale: Log of the time by which a share of 1 - 1/e has had the event; (batch).
        log_shape: Log of the power of time; (batch).
        last_time: Where statements end. The formula goes on for ever, but training subjects were
            looked at up to the horizon only.
    """

    log_scale: Tensor
    log_shape: Tensor
    last_time: float

    @property
    def causes(self) -> int:
        """One."""
        return 1

    def log_cumulative_hazard(self, times: Times) -> Tensor:
        """Log H(t) = shape (log t - log scale); (batch, grid), minus infinity at time 0."""
        asked = check_times(times, self.last_time).to(self.log_scale.device)
        return self.log_shape.exp()[:, None] * (asked.log() - self.log_scale[:, None])

    def cumulative_hazard(self, times: Times) -> Tensor:
        """H(t) = (t / scale)^shape; (batch, grid)."""
        return self.log_cumulative_hazard(times).exp()

    def survival(self, times: Times) -> Tensor:
        """P(duration > t) = exp(-H(t)); (batch, grid)."""
        return (-self.cumulative_hazard(times)).exp()

    def cumulative_incidence(self, times: Times) -> Tensor:
        """P(event by t) = 1 - exp(-H(t)); (batch, 1, grid)."""
        return -(-self.cumulative_hazard(times)).expm1()[:, None]

    def hazard(self, times: Times) -> Tensor:
        """h(t) = (shape / scale) (t / scale)^(shape - 1), per time unit; (batch, grid).

        At time 0 it is infinite for shapes below 1, 1 / scale for shape 1 and 0 above.
        """
        asked = check_times(times, self.last_time).to(self.log_scale.device)
        shape, scale = self.log_shape.exp()[:, None], self.log_scale.exp()[:, None]
        return shape / scale * (asked / scale) ** (shape - 1)

    def risk_score(self, horizon: float, cause: int = 1) -> Tensor:
        """Log H(horizon): orders as P(event by the horizon) does, without its saturation; (batch).

        Raises:
            DataError: The horizon lies beyond the last time, is 0, or the cause is not 1.
        """
        if cause != 1 or not horizon > 0:
            raise DataError(
                "a Weibull model orders subjects by its one cause at a horizon above 0, "
                f"but cause {cause} at {horizon:g} was asked"
            )
        return self.log_cumulative_hazard([horizon])[:, 0]
