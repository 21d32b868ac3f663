"""Small weights trained on phantoms: something to load and to look at, of no use for patients."""

from __future__ import annotations

from survkit.demonstration.declaration import Demonstration
from survkit.demonstration.demonstration_result import DemonstrationResult
from survkit.demonstration.train_demonstrations import DemonstrationPlan, train_demonstrations

__all__ = [
    "Demonstration",
    "DemonstrationPlan",
    "DemonstrationResult",
    "train_demonstrations",
]
