"""How large the demo is."""

from __future__ import annotations

from dataclasses import dataclass

from survkit.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """Everything that decides the demo's numbers.

    Attributes:
        subjects: Number of generated subjects.
        size: Voxels per edge of their volumes.
        changes: Of the recipe, as ``path=value``.
        folds: Number of test parts.
        replicates: Bootstrap resamples of the intervals.
        seed: Of the cohort, the division and the training.
    """

    subjects: int = 1400
    size: int = 20
    changes: tuple[str, ...] = ()
    folds: int = 3
    replicates: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ConfigError(f"the seed must be 0 or larger, not {self.seed}")

    @classmethod
    def fast(cls, *, seed: int = 0) -> DemoSettings:
        """Return a demo of a minute or less, too small to come near the oracle."""
        changes = ("training.epochs=12", "training.micro_batch=32", "training.risk_set=32")
        return cls(subjects=300, size=16, changes=changes, replicates=200, seed=seed)
