"""How a tournament is carried out and reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from survkit.data import Splits
from survkit.errors import ConfigError
from survkit.training.run_settings import RunSettings

if TYPE_CHECKING:
    from survkit.data import PreparationCache
    from survkit.registry import Registry


class TournamentOptions(TypedDict, total=False):
    """The keywords of :class:`TournamentSettings`, for signatures."""

    folds: int
    repeats: int
    splits: Splits | None
    by_site: bool
    inner_folds: int | None
    unequal_budget: bool
    reference: str | None
    cause: str | None
    permutations: int
    level: float
    replicates: int
    seed: int | None
    jobs: int
    overwrite: bool
    resume: bool
    progress: bool
    cache: PreparationCache | None
    registry: Registry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TournamentSettings:
    """Keywords of :func:`survkit.tournament`.

    Attributes:
        folds: Test parts of the outer cross-validation.
        repeats: How often the cohort is divided anew.
        splits: A given division instead.
        by_site: Test whole sites that no training part has seen.
        inner_folds: Instead of the file's: 1 chooses on the validation part, more by an inner
            cross-validation of the training part. Where neither says, 1 if the validation part is
            as kind to every composition, else 3.
        unequal_budget: Networks that may take different numbers of optimizer steps are meant.
        reference: Instead of the file's: what the figure shows the others against.
        cause: Name of the cause that is compared and by which the best is chosen; the first where
            ``None``.
        permutations: Random swaps of the paired permutation test.
        level: Coverage of the intervals of differences; the tests are at one minus it. Those of
            single compositions have 95%, as in every run.
        replicates: Bootstrap resamples of the intervals.
        seed: Instead of the recipes' own.
        jobs: Folds at the same time, each in a process of its own; -1 for one per core.
        overwrite: Replace the tournament in the folder once the new one is complete.
        resume: Go on with an interrupted one; the result is that of the uninterrupted one.
        progress: Whether to show a progress bar.
        cache: Where prepared images are kept, by all compositions.
        registry: Where component names are looked up; the process-wide one by default.
    """

    folds: int = 5
    repeats: int = 1
    splits: Splits | None = None
    by_site: bool = False
    inner_folds: int | None = None
    unequal_budget: bool = False
    reference: str | None = None
    cause: str | None = None
    permutations: int = 5000
    level: float = 0.95
    replicates: int = 1000
    seed: int | None = None
    jobs: int = 1
    overwrite: bool = False
    resume: bool = False
    progress: bool = True
    cache: PreparationCache | None = None
    registry: Registry | None = None

    def __post_init__(self) -> None:
        if self.by_site and self.splits is not None:
            raise ConfigError("give splits or by_site: a splits file already says who is where")
        if self.inner_folds is not None and self.inner_folds < 1:
            raise ConfigError(f"inner_folds must be 1 or more, not {self.inner_folds}")
        if self.permutations < 1:
            raise ConfigError(f"permutations must be 1 or more, not {self.permutations}")
        if not 0 < self.level < 1:
            raise ConfigError(f"level must lie between 0 and 1, not {self.level}")
        self.run()

    def run(self) -> RunSettings:
        """Return the settings of one composition's cross-validation."""
        return RunSettings(
            seed=self.seed,
            overwrite=self.overwrite,
            resume=self.resume,
            progress=False,
            jobs=self.jobs,
            replicates=self.replicates,
            cache=self.cache,
            registry=self.registry,
        )
