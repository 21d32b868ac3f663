"""What a model loses when its inputs get worse."""

from __future__ import annotations

from survkit.stress.settings import StressSettings
from survkit.stress.stress_run import Stress, stress_run

__all__ = ["Stress", "StressSettings", "stress_run"]
