"""What is asked of a stress test, and how it is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, TypedDict

from survkit.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from survkit.data import PreparationCache
    from survkit.registry import Registry

TENTHS = tuple(step / 10 for step in range(11))


class StressOptions(TypedDict, total=False):
    """The keywords of :class:`StressSettings`, for signatures."""

    corruptions: Sequence[str]
    severities: Sequence[str] | None
    fractions: Sequence[float]
    seeds: int
    metric: str
    cause: str | None
    replicates: int
    level: float
    device: str
    overwrite: bool
    resume: bool
    cache: PreparationCache | None
    registry: Registry | None
    progress: Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StressSettings:
    """Keywords of :func:`survkit.stress.stress_run`.

    Attributes:
        corruptions: Such as ``"ct:gaussian-noise:sigma=0.1"``, or several at once joined by plus
            signs, ``"ct:gaussian-noise + pet:poisson-noise"``; empty for the suite that fits the
            model's modalities.
        severities: Levels of the suite: low, medium, high; ``None`` for high. Refused beside
            corruptions, which state their own.
        fractions: Shares of subjects that are corrupted, increasing, each once.
        seeds: How often corruptions and the choice of subjects are drawn anew.
        metric: Key or short name of a metric: harrell, antolini, brier, ibs.
        cause: The cause; the first by default.
        replicates: Bootstrap resamples of the intervals.
        level: Coverage of the intervals.
        device: Where the networks run.
        overwrite: Replace older results once the new ones are complete.
        resume: Go on with an interrupted stress test.
        cache: Where prepared images are kept.
        registry: Where names are looked up; the process-wide one by default.
        progress: Told how many steps are done, and of how many.
    """

    corruptions: Sequence[str] = ()
    severities: Sequence[str] | None = None
    fractions: Sequence[float] = TENTHS
    seeds: int = 5
    metric: str = "harrell"
    cause: str | None = None
    replicates: int = 1000
    level: float = 0.95
    device: str = "cpu"
    overwrite: bool = False
    resume: bool = False
    cache: PreparationCache | None = None
    registry: Registry | None = None
    progress: Callable[[int, int], None] | None = None

    def __post_init__(self) -> None:
        fractions = list(self.fractions)
        possible = all(isfinite(each) and 0 <= each <= 1 for each in fractions)
        if not fractions or not possible or sorted(set(fractions)) != fractions:
            raise ConfigError(
                "fractions must be increasing shares of the subjects from 0 to 1, each once, "
                f"not {', '.join(f'{each:g}' for each in fractions) or 'none'}"
            )
        if self.seeds < 1:
            raise ConfigError(f"seeds must be a whole number of at least 1, not {self.seeds}")
        if self.replicates < 0 or not 0 < self.level < 1:
            raise ConfigError(
                "replicates must be >= 0 and level between 0 and 1, "
                f"not {self.replicates} and {self.level}"
            )
        if self.severities is not None and not self.severities:
            raise ConfigError("name at least one severity, such as high")
        if self.severities and self.corruptions:
            raise ConfigError(
                f"the severity {', '.join(self.severities)} is that of the suite, which the "
                f"corruption {self.corruptions[0]!r} replaces; write the level in the corruption, "
                "such as ct:blur:low, or leave one of them out"
            )
        if self.overwrite and self.resume:
            raise ConfigError("give --overwrite or --resume, not both")

    def components(self) -> Registry:
        """Return the registry to use."""
        if self.registry is not None:
            return self.registry
        from survkit.plugins import default_registry

        return default_registry()

    def to_json(self) -> dict[str, Any]:
        """Return what decides the numbers, as plain data."""
        return {
            "seeds": list(range(self.seeds)),
            "fractions": [float(each) for each in self.fractions],
            "replicates": self.replicates,
            "level": self.level,
        }
