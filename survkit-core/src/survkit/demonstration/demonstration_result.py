"""What the training of one demonstration left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from survkit.evaluation import Evaluation
from survkit.evaluation.metric_names import HARRELL
from survkit.hub import Origin
from survkit.metrics.estimate import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class DemonstrationResult:
    """Weights and how good they are on subjects that nothing has seen.

    Attributes:
        name: Full name of the recipe.
        folder: The model folder.
        evaluation: Of the weights on the fresh cohort.
        oracle: Of the true hazard on the same subjects: what no model can beat but by chance.
        origin: The commit on the Hub, where the weights were pushed.
    """

    name: str
    folder: Path
    evaluation: Evaluation
    oracle: Evaluation
    origin: Origin | None = None

    @property
    def concordance(self) -> Result:
        """Harrell's concordance on the fresh cohort, with its interval."""
        return self.evaluation.metric(HARRELL).pooled

    @property
    def best(self) -> Result:
        """The oracle's."""
        return self.oracle.metric(HARRELL).pooled
