"""What a radiomic feature depends on besides the image."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TypeGuard

from survkit.errors import ConfigError

MAX_BINS = 65_536
"""More grey levels than a 16-bit image has are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiomicsSettings:
    """How grey levels are cut and which voxels are neighbours.

    Exactly one of ``bin_width`` and ``bin_count`` is set; for a count write
    ``RadiomicsSettings(bin_width=None, bin_count=32)``.

    Args:
        bin_width: Width of a grey level in units of the image; level 1 begins at the largest
            multiple of the width that is not above the region's minimum.
        bin_count: Number of equal grey levels between the region's minimum and maximum.
        distance: Neighbours are the voxels at exactly this distance, measured as the largest
            step along an axis. Runs and zones always use 1.
        gldm_alpha: Neighbours whose level differs by at most this much depend on the centre.

    Raises:
        ConfigError: A setting is out of range, or not exactly one of width and count is set.
    """

    bin_width: float | None = 25.0
    bin_count: int | None = None
    distance: int = 1
    gldm_alpha: float = 0.0

    def __post_init__(self) -> None:
        _check_bins(self.bin_width, self.bin_count)
        if not _is_count(self.distance):
            raise ConfigError(f"distance must be a whole number >= 1, not {self.distance!r}")
        if not _is_number(self.gldm_alpha) or self.gldm_alpha < 0:
            raise ConfigError(f"gldm_alpha must be a finite number >= 0, not {self.gldm_alpha!r}")

    @property
    def fingerprint(self) -> str:
        """One line of text that is equal exactly when the features of an image are."""
        bins = (
            f"bin_width={float(self.bin_width)!r}"
            if self.bin_width is not None
            else f"bin_count={self.bin_count}"
        )
        return f"radiomics/1 {bins} distance={self.distance} gldm_alpha={float(self.gldm_alpha)!r}"


def _check_bins(width: object, count: object) -> None:
    if (width is None) == (count is None):
        raise ConfigError(
            f"exactly one of bin_width and bin_count must be set, not bin_width={width!r} and "
            f"bin_count={count!r}; set the other one to None"
        )
    if width is not None and (not _is_number(width) or width <= 0):
        raise ConfigError(f"bin_width must be a finite number > 0, not {width!r}")
    if count is not None and (not _is_count(count) or count > MAX_BINS):
        raise ConfigError(f"bin_count must be a whole number from 1 to {MAX_BINS}, not {count!r}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
