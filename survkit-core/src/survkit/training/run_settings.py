"""How a run is carried out, as opposed to what it computes: no setting here changes a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from survkit.data.jobs import check_jobs
from survkit.errors import ConfigError

if TYPE_CHECKING:
    from survkit.data import PreparationCache
    from survkit.registry import Registry


class RunOptions(TypedDict, total=False):
    """The keywords of :class:`RunSettings`, for signatures."""

    seed: int | None
    overwrite: bool
    resume: bool
    progress: bool
    jobs: int
    replicates: int
    cache: PreparationCache | None
    registry: Registry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """Keywords that ``fit`` and ``cross_validate`` share.

    Attributes:
        seed: Instead of the recipe's; the one setting that is part of what is computed.
        overwrite: Replace the run in the folder once the new one is complete.
        resume: Go on with an interrupted run; the result is that of the uninterrupted one.
        progress: Whether to show a progress bar (only with one job).
        jobs: Folds at the same time, each in a process of its own; -1 for one per core.
        replicates: Bootstrap resamples of the intervals.
        cache: Where prepared images are kept.
        registry: Where component names are looked up; the process-wide one by default.
    """

    seed: int | None = None
    overwrite: bool = False
    resume: bool = False
    progress: bool = True
    jobs: int = 1
    replicates: int = 1000
    cache: PreparationCache | None = None
    registry: Registry | None = None

    def __post_init__(self) -> None:
        check_jobs(self.jobs)
        if self.replicates < 0:
            raise ConfigError(f"replicates must be 0 or more, not {self.replicates}")

    def components(self) -> Registry:
        """Return the registry to use."""
        if self.registry is not None:
            return self.registry
        from survkit.plugins import default_registry

        return default_registry()
