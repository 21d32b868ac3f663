"""What the demo found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.evaluation import Evaluation
from survkit.evaluation.metric_names import HARRELL
from survkit.metrics.estimate import Estimate, Result


@dataclass(frozen=True, slots=True)
class Row:
    """One model on all subjects, each predicted by a fold that never saw it.

    Attributes:
        name: In words.
        evaluation: Its metrics.
        best: Concordance of the true hazard as far as the model's modalities show it: what a
            perfect model of the same data would reach.
    """

    name: str
    evaluation: Evaluation
    best: Result

    @property
    def concordance(self) -> Result:
        """Harrell's concordance, pairs within folds, with its interval."""
        return self.evaluation.metric(HARRELL).pooled

    @property
    def share(self) -> float | None:
        """How much of the way from chance, 0.5, to the best it went; ``None`` where undefined."""
        found, best = self.concordance, self.best
        if not (isinstance(found, Estimate) and isinstance(best, Estimate)) or best.value <= 0.5:
            return None
        return (found.value - 0.5) / (best.value - 0.5)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts."""
        return {
            "name": self.name,
            "harrell_concordance": self.concordance.to_json(),
            "best": self.best.to_json(),
            "share": self.share,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """A finished demo.

    Attributes:
        folder: Where everything is.
        report: The fused model's page, with the others beside it.
        fused: The model of all modalities.
        single: The same model of one modality each.
        oracle: The true hazard.
    """

    folder: Path
    report: Path
    fused: Row
    single: tuple[Row, ...]
    oracle: Row

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows, in the order of the table."""
        return (self.fused, *self.single, self.oracle)

    @property
    def fusion_wins(self) -> bool:
        """Whether the fused model's concordance is above that of every single modality."""
        values = [
            row.concordance.value
            for row in (self.fused, *self.single)
            if isinstance(row.concordance, Estimate)
        ]
        return len(values) == 1 + len(self.single) and values[0] > max(values[1:])
