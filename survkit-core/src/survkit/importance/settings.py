"""What is asked about the importance of feature groups, and how it is carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from survkit.comparison.comparable_metrics import metric_keys
from survkit.errors import ConfigError
from survkit.evaluation.metric_names import ANTOLINI, ANTOLINI_ALL, HARRELL, HARRELL_ALL

if TYPE_CHECKING:
    from survkit.data import PreparationCache
    from survkit.registry import Registry

Groups = Mapping[str, Sequence[str]]
"""Columns by name of a group."""

_CONCORDANCES = (HARRELL, HARRELL_ALL, ANTOLINI, ANTOLINI_ALL)


class ImportanceOptions(TypedDict, total=False):
    """The keywords of :class:`ImportanceSettings`, for signatures."""

    groups: str | Path | Groups | None
    repeats: int
    seed: int
    metric: str
    cause: str | None
    replicates: int
    level: float
    device: str
    jobs: int
    overwrite: bool
    cache: PreparationCache | None
    registry: Registry | None
    progress: Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportanceSettings:
    """Keywords of :func:`survkit.importance.importance_run`.

    Attributes:
        groups: Groups of columns of tables and of vectors with named entries: columns by name of
            the group, or a YAML file that says so; ``None`` for those that the model has by itself.
        repeats: How often every group is permuted anew.
        seed: Decides the permutations.
        metric: The concordance that is lost: harrell or antolini.
        cause: The cause; the first by default.
        replicates: Bootstrap resamples of the intervals; 0 for none.
        level: Coverage of the intervals.
        device: Where the networks run.
        jobs: Processes, one fold each; -1 for one per core.
        overwrite: Replace older results once the new ones are complete.
        cache: Where prepared images are kept.
        registry: Where component names are looked up; the process-wide one by default.
        progress: Told how many steps are done, and of how many.
    """

    groups: str | Path | Groups | None = None
    repeats: int = 50
    seed: int = 0
    metric: str = "harrell"
    cause: str | None = None
    replicates: int = 1000
    level: float = 0.95
    device: str = "cpu"
    jobs: int = 1
    overwrite: bool = False
    cache: PreparationCache | None = None
    registry: Registry | None = None
    progress: Callable[[int, int], None] | None = None

    def __post_init__(self) -> None:
        if self.repeats < 1:
            raise ConfigError(f"repeats must be a whole number of at least 1, not {self.repeats}")
        if self.replicates < 0 or not 0 < self.level < 1:
            raise ConfigError(
                "replicates must be >= 0 and level between 0 and 1, "
                f"not {self.replicates} and {self.level}"
            )
        if self.key not in _CONCORDANCES:
            raise ConfigError(
                f"importance is a drop of concordance: metric must be harrell or antolini, not "
                f"{self.metric}"
            )

    @property
    def key(self) -> str:
        """The metric by its name in ``metrics.json``."""
        return metric_keys(self.metric)[0]

    @property
    def reads_curves(self) -> bool:
        """Whether the metric reads the predicted probabilities, not the risk scores alone."""
        return self.key in (ANTOLINI, ANTOLINI_ALL)

    def components(self) -> Registry:
        """Return the registry to use."""
        if self.registry is not None:
            return self.registry
        from survkit.plugins import default_registry

        return default_registry()

    def quiet(self) -> ImportanceSettings:
        """Return the same settings for another process, which has nobody to tell its progress."""
        return replace(self, progress=None)

    def to_json(self) -> dict[str, Any]:
        """Return what decides the numbers, as plain data."""
        return {
            "repeats": self.repeats,
            "seed": self.seed,
            "replicates": self.replicates,
            "level": self.level,
        }
