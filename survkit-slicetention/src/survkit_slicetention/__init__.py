"""Survival from CT slices: a backbone per slice, soft attention over slices, DeepHit.

Paolo et al. (2026), Predicting lung cancer survival with attention-based CT slices combination,
Health Information Science and Systems 14:20.
"""

__version__ = "0.1.0"
