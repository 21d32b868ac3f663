"""How a run is carried out, as opposed to what it computes: no setting here changes a number, but
for the seed and what training starts from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypedDict

from survkit.data.jobs import check_jobs
from survkit.errors import ConfigError
from survkit.transfer import Source, StartSettings
from survkit.transfer.find_source import find_source

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
    init_from: Source | None
    init_revision: str | None
    init_parts: Sequence[str]
    freeze: Sequence[str]
    different_subjects: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """Keywords that ``fit`` and ``cross_validate`` share.

    Attributes:
        seed: Instead of the recipe's; part of what is computed.
        overwrite: Replace the run in the folder once the new one is complete.
        resume: Go on with an interrupted run; the result is that of the uninterrupted one.
        progress: Whether to show a progress bar (only with one job).
        jobs: Folds at the same time, each in a process of its own; -1 for one per core.
        replicates: Bootstrap resamples of the intervals.
        cache: Where prepared images are kept.
        registry: Where component names are looked up; the process-wide one by default.
        init_from: A model folder, a run folder, ``RUN:fold-3`` or ``ORG/NAME`` on the Hub whose
            weights training starts from; part of what is computed, as are the next three.
        init_revision: Branch, tag or commit on the Hub; ``main`` by default.
        init_parts: The parts to take, such as ``encoders.ct``; every part that fits by default.
        freeze: Parts taken that keep their weights.
        different_subjects: Subjects of the weights' cohort are other people than those here, also
            where they are numbered alike or nobody can tell who they are.
    """

    seed: int | None = None
    overwrite: bool = False
    resume: bool = False
    progress: bool = True
    jobs: int = 1
    replicates: int = 1000
    cache: PreparationCache | None = None
    registry: Registry | None = None
    init_from: Source | None = None
    init_revision: str | None = None
    init_parts: Sequence[str] = ()
    freeze: Sequence[str] = ()
    different_subjects: bool = False

    def __post_init__(self) -> None:
        check_jobs(self.jobs)
        if self.replicates < 0:
            raise ConfigError(f"replicates must be 0 or more, not {self.replicates}")
        self.start()

    def start(self) -> StartSettings:
        """Return what training starts from, as it was asked.

        Raises:
            ConfigError: Something is asked of a model that is not given.
        """
        return StartSettings(
            source=self.init_from,
            revision=self.init_revision,
            parts=tuple(self.init_parts),
            freeze=tuple(self.freeze),
            different_subjects=self.different_subjects,
        )

    def begun_from(self, *runs: Path) -> Self:
        """Return the settings with a model on the Hub as one commit; with ``resume`` that of a run.

        Args:
            runs: Folders of the runs that ``resume`` goes on with.

        Raises:
            HubError: The Hub has no such model or gives it not.
        """
        found = find_source(self.init_from, self.init_revision, runs=runs if self.resume else ())
        return replace(self, init_from=found, init_revision=None)

    def components(self) -> Registry:
        """Return the registry to use."""
        if self.registry is not None:
            return self.registry
        from survkit.plugins import default_registry

        return default_registry()
