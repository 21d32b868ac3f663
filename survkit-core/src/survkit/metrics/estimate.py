"""What a metric returns: a number with its uncertainty, or the reason why there is none."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval.

    Attributes:
        lower: Lower bound.
        upper: Upper bound.
        level: Nominal coverage, such as 0.95.
    """

    lower: float
    upper: float
    level: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number that could be computed.

    Attributes:
        value: The number.
        interval: Its uncertainty, where it was asked for.
        method: What was computed and how, in words for a reader.
        n: Subjects that entered.
        events: Events (of the cause asked about) among them.
    """

    value: float
    interval: Interval | None
    method: str
    n: int
    events: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Undefined:
    """A number that cannot be computed. It has no value, so it cannot enter an average as 0 or NaN.

    Attributes:
        reason: Why, in words for a reader.
        n: Subjects that entered.
        events: Events (of the cause asked about) among them.
    """

    reason: str
    n: int
    events: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts; without a value."""
        return asdict(self)

    def __bool__(self) -> bool:
        """Refuse to be taken for a truth value; ask with isinstance."""
        raise TypeError(f"an undefined metric is neither true nor false: {self.reason}")


Result = Estimate | Undefined
"""What every metric returns."""
