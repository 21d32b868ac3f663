"""How intervals are made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypedDict, get_args

from survkit.errors import ConfigError

IntervalKind = Literal["bootstrap", "jackknife"]
"""Percentiles of resamples; or a normal interval from the influence of each subject."""

Cluster = Literal["subject", "group", "site"]
"""What is resampled, or has its influence summed, as a whole."""


class EvaluateOptions(TypedDict, total=False):
    """Keyword arguments of :func:`survkit.evaluate`; see :class:`EvaluateSettings`."""

    replicates: int
    level: float
    seed: int
    interval: IntervalKind
    cluster: Cluster | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateSettings:
    """Settings of the intervals.

    Attributes:
        replicates: Bootstrap resamples; 0 for none.
        level: Coverage of the intervals.
        seed: Seed of the resamples.
        interval: ``"bootstrap"``, or ``"jackknife"`` for all metrics that have one.
        cluster: ``"subject"``; ``"group"`` for rows that belong together, such as the images of
            one patient; or ``"site"`` for subjects that are alike within their site. ``None``
            takes groups where the table has them, else subjects.
    """

    replicates: int = 1000
    level: float = 0.95
    seed: int = 0
    interval: IntervalKind = "bootstrap"
    cluster: Cluster | None = None

    def __post_init__(self) -> None:
        if self.replicates < 0 or not 0 < self.level < 1:
            raise ConfigError(
                "replicates must be >= 0 and level between 0 and 1, not "
                f"{self.replicates} and {self.level}"
            )
        for name, kind in (("interval", IntervalKind), ("cluster", Cluster)):
            value = getattr(self, name)
            if value not in get_args(kind) and not (name == "cluster" and value is None):
                known = " or ".join(repr(each) for each in get_args(kind))
                raise ConfigError(f"{name} must be {known}, not {value!r}")

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        return asdict(self)
