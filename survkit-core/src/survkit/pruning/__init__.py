"""What a model is worth, and costs, without the tokens that it hardly looks at."""

from __future__ import annotations

from survkit.pruning.prune_run import Pruned, prune_run
from survkit.pruning.settings import PruneOptions, PruneSettings

__all__ = ["PruneOptions", "PruneSettings", "Pruned", "prune_run"]
