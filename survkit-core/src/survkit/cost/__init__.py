"""What a recipe costs: parameters, arithmetic of one subject, bytes of the saved model."""

from __future__ import annotations

from survkit.cost.measure import Cost, PartCost, cost

__all__ = ["Cost", "PartCost", "cost"]
