"""Training that starts from the weights of a trained model, and what those weights have seen."""

from __future__ import annotations

from survkit.transfer.begin import StartReport, begin
from survkit.transfer.begin_encoders import begin_encoders
from survkit.transfer.hub_source import HubSource, Source
from survkit.transfer.start import Start, StartSettings, plan_starts

__all__ = [
    "HubSource", "Source", "Start", "StartReport", "StartSettings", "begin", "begin_encoders",
    "plan_starts",
]  # fmt: skip
