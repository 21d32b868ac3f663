"""The training engine: exact gradients over risk sets, cross-validation, runs that can be
resumed.
"""

from __future__ import annotations

from survkit.training.cross_validate import CrossValidation, cross_validate
from survkit.training.fit import fit

__all__ = ["CrossValidation", "cross_validate", "fit"]
