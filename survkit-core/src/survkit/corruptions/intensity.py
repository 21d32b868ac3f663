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


def check_severity(name: str, value: float, least: float, most: float, beyond: str) -> None:
    """Refuse a severity that means nothing.

    Args:
        name: Of the setting.
        value: It.
        least: Where it begins to mean something.
        most: Beyond it nothing is left to corrupt, numbers overflow, or the work has no end.
        beyond: What is true beyond ``most``, for the message.

    Raises:
        ConfigError: It is outside these bounds, or no number.
    """
    if not least <= value <= most:
        why = f": {beyond}" if value > most else ""
        raise ConfigError(
            f"{name} must be a number of at least {least:g} and at most {most:g}, not {value}{why}"
        )
