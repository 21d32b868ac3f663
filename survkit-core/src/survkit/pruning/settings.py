"""What is asked of a pruning, and how it is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from survkit.errors import ConfigError
from survkit.pruning.choice import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from survkit.data import PreparationCache
    from survkit.registry import Registry

Map = Literal["population", "subject"]
"""Whose importance decides: the mean over a fold's training subjects, or each subject's own."""


class PruneOptions(TypedDict, total=False):
    """The keywords of :class:`PruneSettings`, for signatures."""

    thresholds: Sequence[float]
    keep: Sequence[float]
    map: Map
    retrain: bool
    modality: str | None
    metric: str
    cause: str | None
    replicates: int
    level: float
    device: str
    overwrite: bool
    cache: PreparationCache | None
    registry: Registry | None
    progress: Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneSettings:
    """Keywords of :func:`survkit.pruning.prune_run`.

    Attributes:
        thresholds: Importance that a token needs, in units of the uniform 1 / tokens; one of 1
            where neither these nor ``keep`` are given.
        keep: Shares of the tokens to keep.
        map: ``"population"``: one choice per fold, by the mean importance over its training
            subjects; ``"subject"``: one per subject, by its own.
        retrain: Train on with the kept tokens alone, and measure that too.
        modality: Whose encoder; needed where several prune.
        metric: Key or short name of a metric: harrell, antolini, brier, ibs.
        cause: The cause; the first by default.
        replicates: Bootstrap resamples of the intervals.
        level: Coverage of the intervals.
        device: Where the networks run.
        overwrite: Replace older results once the new ones are complete.
        cache: Where prepared images are kept.
        registry: Where names are looked up; the process-wide one by default.
        progress: Told how many steps are done, and of how many.
    """

    thresholds: Sequence[float] = ()
    keep: Sequence[float] = ()
    map: Map = "population"
    retrain: bool = False
    modality: str | None = None
    metric: str = "harrell"
    cause: str | None = None
    replicates: int = 1000
    level: float = 0.95
    device: str = "cpu"
    overwrite: bool = False
    cache: PreparationCache | None = None
    registry: Registry | None = None
    progress: Callable[[int, int], None] | None = None

    def __post_init__(self) -> None:
        keys = [choice.key for choice in self.choices]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise ConfigError(f"{twice} is asked for twice; name each value once")
        if self.map not in ("population", "subject"):
            raise ConfigError(f"map must be population or subject, not {self.map!r}")
        if self.retrain and self.map == "subject":
            raise ConfigError(
                "--retrain needs one choice of tokens for everybody, but --map subject makes one "
                "per subject; leave one of them out"
            )
        if self.replicates < 0 or not 0 < self.level < 1:
            raise ConfigError(
                "replicates must be >= 0 and level between 0 and 1, "
                f"not {self.replicates} and {self.level}"
            )

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What is asked, in its order: thresholds, then shares."""
        asked = [Choice("threshold", float(value)) for value in self.thresholds]
        asked += [Choice("keep", float(value)) for value in self.keep]
        return tuple(asked) or (Choice("threshold", 1.0),)

    def components(self) -> Registry:
        """Return the registry to use."""
        if self.registry is not None:
            return self.registry
        from survkit.plugins import default_registry

        return default_registry()

    def to_json(self) -> dict[str, Any]:
        """Return what decides the numbers, as plain data."""
        return {
            "thresholds": [each.value for each in self.choices if each.rule == "threshold"],
            "keep": [each.value for each in self.choices if each.rule == "keep"],
            "map": self.map,
            "retrain": self.retrain,
            "replicates": self.replicates,
            "level": self.level,
        }
