"""How much of a model's concordance hangs on each group of its features."""

from __future__ import annotations

from survkit.importance.importance_run import Importance, importance_run
from survkit.importance.settings import ImportanceSettings

__all__ = ["Importance", "ImportanceSettings", "importance_run"]
