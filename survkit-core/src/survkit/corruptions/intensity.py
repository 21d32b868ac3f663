"""The scale of a sample's intensities, in which severities of image corruptions are stated."""

from __future__ import annotations

from survkit.errors import ConfigError
from survkit.protocols import Sample


def intensity_range(sample: Sample) -> tuple[float, float]:
    """Return what counts as the lowest and highest intensity.

    That is what the cohort declares (a window is mapped to -1 and 1), else the sample's own lowest
    and highest value.
    """
    if sample.intensity_range is not None:
        return sample.intensity_range
    return float(sample.values.min()), float(sample.values.max())


def check_at_least(name: str, value: float, least: float) -> None:
    """Refuse a severity that means nothing.

    Raises:
        ConfigError: It is below ``least`` or not finite.
    """
    if not least <= value < float("inf"):
        raise ConfigError(f"{name} must be a number of at least {least:g}, not {value}")
