"""The one model of a cross-validation: refitted on everybody, or the ensemble of its folds."""

from __future__ import annotations

from survkit.finalizing.finalize import finalize

__all__ = ["finalize"]
