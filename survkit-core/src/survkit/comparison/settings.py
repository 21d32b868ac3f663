"""How models are compared: permutations, resamples, level and what is exchanged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypedDict, get_args

from survkit.comparison.exchange_ranks import Exchange
from survkit.errors import ConfigError

Unit = Literal["subject", "group", "site"]
"""What is swapped and resampled as a whole."""


class CompareOptions(TypedDict, total=False):
    """Keyword arguments of :func:`survkit.compare`; see :class:`CompareSettings`."""

    permutations: int
    replicates: int
    level: float
    seed: int
    exchange: Exchange
    unit: Unit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSettings:
    """Settings of tests and intervals.

    Attributes:
        permutations: Random swaps of the permutation test.
        replicates: Resamples of the paired bootstrap; 0 for no intervals.
        level: Coverage of intervals; 1 - level is the level of the tests, and a non-inferiority
            bound is the lower end of such an interval.
        seed: Same seed, same numbers.
        exchange: What is swapped in a concordance, ``"ranks"`` or ``"values"``; see
            :mod:`survkit.comparison.exchange_ranks`.
        unit: ``"subject"``, or ``"group"`` or ``"site"`` to swap and resample these as a whole;
            ``None`` takes groups where the tables have them, else subjects.
    """

    permutations: int = 5000
    replicates: int = 1000
    level: float = 0.95
    seed: int = 0
    exchange: Exchange = "ranks"
    unit: Unit | None = None

    def __post_init__(self) -> None:
        if self.permutations < 1 or self.replicates < 0 or self.replicates == 1:
            raise ConfigError(
                "permutations must be >= 1 and replicates 0 or >= 2, not "
                f"{self.permutations} and {self.replicates}"
            )
        if not 0 < self.level < 1:
            raise ConfigError(f"level must lie between 0 and 1, not {self.level}")
        for name, kind in (("exchange", Exchange), ("unit", Unit)):
            value = getattr(self, name)
            if value not in get_args(kind) and not (name == "unit" and value is None):
                known = " or ".join(repr(each) for each in get_args(kind))
                raise ConfigError(f"{name} must be {known}, not {value!r}")

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return asdict(self)
