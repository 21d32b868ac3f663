"""Which of several series of a modality is the subject's volume, by a declared rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.series import Series
from survkit.errors import ConfigError

Preference = Literal["only", "thinnest", "most-slices"]
PREFERENCES: tuple[Preference, ...] = ("only", "thinnest", "most-slices")
SAME_SPACING = 0.01
"""Slice spacings within this many mm are equally thin."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen series and why, in words."""

    series: Series
    why: str


def choose_series(
    series: Sequence[Series],
    *,
    modality: str,
    prefer: Preference = "only",
    kernel: str | None = None,
) -> Choice:
    """Return the one series of a modality that a rule chooses.

    Args:
        series: Of one subject (and study).
        modality: Such as "CT".
        prefer: "only" refuses when there are several; "thinnest" takes the smallest distance
            between slices; "most-slices" the most slices.
        kernel: Only series with this convolution kernel count, where given.

    Raises:
        RefusedSeriesError: None is left, or several are equally good.
    """
    if prefer not in PREFERENCES:
        raise ConfigError(f"prefer must be one of {', '.join(PREFERENCES)}, not '{prefer}'")
    found = [each for each in series if each.modality == modality]
    if not found:
        there = ", ".join(sorted({each.modality for each in series})) or "none"
        raise RefusedSeriesError(
            "no-series", f"a {modality} series is wanted, but there is none (there are: {there})"
        )
    whole = len(found)
    if kernel is not None:
        kernels = sorted({each.kernel or "none" for each in found})
        found = [each for each in found if each.kernel == kernel]
        if not found:
            raise RefusedSeriesError(
                "no-series",
                f"no {modality} series has the kernel '{kernel}' (there are: {', '.join(kernels)})",
            )
    best = _best(found, prefer)
    if len(best) > 1:
        labels = "; ".join(_described(each) for each in best[:4])
        more = f" and {len(best) - 4} more" if len(best) > 4 else ""
        raise RefusedSeriesError(
            "ambiguous-series",
            f"one {modality} series is wanted, but {len(best)} are equally good: {labels}{more}; "
            f"choose by one of {', '.join(PREFERENCES[1:])} or by kernel, or take the others away",
        )
    return Choice(best[0], _why(best[0], whole, prefer, kernel))


def _best(found: Sequence[Series], prefer: Preference) -> list[Series]:
    if prefer == "thinnest":
        least = min(each.spacing[0] for each in found)
        return [each for each in found if each.spacing[0] <= least + SAME_SPACING]
    if prefer == "most-slices":
        most = max(each.slices for each in found)
        return [each for each in found if each.slices == most]
    return list(found)


def _why(chosen: Series, whole: int, prefer: Preference, kernel: str | None) -> str:
    if whole == 1:
        return f"the only {chosen.modality} series"
    rules = [] if kernel is None else [f"kernel {kernel}"]
    rules += {"thinnest": ["thinnest slices"], "most-slices": ["most slices"]}.get(prefer, [])
    return f"1 of {whole} {chosen.modality} series by {' and '.join(rules)}"


def _described(series: Series) -> str:
    kernel = f", kernel {series.kernel}" if series.kernel else ""
    return f"{series.label}, {series.slices} slices of {series.spacing[0]:.4g} mm{kernel}"
