"""Training that starts from the weights of a trained model, and what those weights have seen."""

from __future__ import annotations

from survkit.transfer.begin import StartReport, begin
from survkit.transfer.start import Start, StartSettings, plan_starts

__all__ = ["Start", "StartReport", "StartSettings", "begin", "plan_starts"]
