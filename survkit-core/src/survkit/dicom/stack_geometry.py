"""The geometry of a stack of slices, from positions and orientations alone, asserted.

Slice positions are ImagePositionPatient projected on the normal of ImageOrientationPatient;
SliceThickness is never used. Coordinates are LPS in mm.

Reference: DICOM PS3.3 C.7.6.2.1.1 (image plane module).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survkit.dicom.refused_series import RefusedSeriesError

RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 0.01, 0.02
"""Steps between slices may differ by this share of the spacing, or by so many mm."""
MAX_GRID_SHARE = 0.1
"""No slice may be further than this share of a step from the regular grid."""
SAME_POSITION = 0.01
"""Two slices nearer than this (mm) are at the same position."""
TILT_TOLERANCE = 0.1
"""Degrees beyond which a stack counts as tilted."""
MAX_GAP_SHARE = 0.25
"""With more gaps than this share of all steps, a stack is irregular rather than incomplete."""

Positions = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StackGeometry:
    """Where the voxels of a stack are.

    Attributes:
        origin: Centre of the first voxel, LPS in mm (x, y, z).
        direction: Rows of the matrix whose columns are the directions of the axes x, y and z.
        spacing: Between voxel centres in mm (z, y, x).
        tilt: Degrees between the normal and the line of positions.
        drift: In-plane move of the positions per slice in mm, along the axes (x, y).
    """

    origin: tuple[float, ...]
    direction: tuple[tuple[float, ...], ...]
    spacing: tuple[float, float, float]
    tilt: float
    drift: tuple[float, float]


def axes_of(orientation: Sequence[float]) -> Positions:
    """Return the directions of the axes x, y and z as columns; z = x × y is the normal.

    Raises:
        RefusedSeriesError: The two directions are not orthogonal unit vectors.
    """
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if not np.allclose(lengths, 1, atol=1e-3) or abs(float(row @ column)) > 1e-3:
        raise RefusedSeriesError(
            "orientation",
            "ImageOrientationPatient must be two orthogonal unit vectors, but their lengths are "
            f"{lengths[0]:.4g} and {lengths[1]:.4g} and their product is {row @ column:.4g}",
        )
    row = row / lengths[0]
    column = column - (column @ row) * row
    column = column / np.linalg.norm(column)
    return np.stack([row, column, np.cross(row, column)], axis=1)


def stack_geometry(
    positions: Positions, orientation: Sequence[float], spacing: Sequence[float]
) -> StackGeometry:
    """Return the geometry of slices that are sorted along the normal.

    Args:
        positions: (slice, 3), LPS in mm, without duplicates.
        orientation: Direction of a row, then of a column.
        spacing: Between rows and between columns, in mm.

    Raises:
        RefusedSeriesError: Slices are missing, irregularly spaced or not on one line.
    """
    axes = axes_of(orientation)
    moved = positions - positions[0]
    along = moved @ axes[:, 2]
    check_steps(np.diff(along), along + float(positions[0] @ axes[:, 2]))
    step = float(along[-1]) / (len(along) - 1)
    _check_grid(along, step)
    drift = (moved @ axes[:, :2])[-1] / (len(along) - 1)
    _check_line(moved @ axes[:, :2], drift, step)
    return StackGeometry(
        origin=tuple(positions[0].tolist()),
        direction=tuple(tuple(line) for line in (axes + 0.0).tolist()),  # -0 becomes 0
        spacing=(step, float(spacing[0]), float(spacing[1])),
        tilt=float(np.degrees(np.arctan2(np.linalg.norm(drift), step))),
        drift=(float(drift[0]), float(drift[1])),
    )


def check_steps(steps: Positions, places: Positions) -> None:
    """Refuse steps that are not all equal within the tolerance.

    Args:
        steps: Between neighbours in mm, positive.
        places: Of the slices along the normal, for the message.

    Raises:
        RefusedSeriesError: Slices are missing (steps are multiples), or spaced irregularly.
    """
    usual = float(np.sort(steps)[(len(steps) - 1) // 2])
    tolerance = max(RELATIVE_TOLERANCE * usual, ABSOLUTE_TOLERANCE)
    if usual < SAME_POSITION:
        raise RefusedSeriesError(
            "irregular-positions",
            f"slices must follow one another along their normal, but {_table(steps)} are the "
            "steps: they stand side by side; export each stack as a series of its own",
        )
    if np.all(np.abs(steps - usual) <= tolerance):
        return
    multiples = np.rint(steps / usual)
    whole = np.all(np.abs(steps - multiples * usual) <= tolerance * np.maximum(multiples, 1))
    gaps = np.flatnonzero(multiples > 1)
    lost = int((multiples - 1).sum())
    few = len(gaps) <= max(1, MAX_GAP_SHARE * len(steps)) and lost <= len(steps)
    if whole and few and multiples.min() >= 1:
        where = ", ".join(
            f"{int(multiples[gap] - 1)} between {places[gap]:.2f} and {places[gap + 1]:.2f} mm"
            for gap in gaps[:5]
        )
        raise RefusedSeriesError(
            "missing-slices",
            f"{lost} {'slice is' if lost == 1 else 'slices are'} missing: {where}"
            f"{', …' if len(gaps) > 5 else ''}; slices are {usual:.4g} mm apart; "
            "export the whole series",
        )
    raise RefusedSeriesError(
        "irregular-spacing",
        "slices must be equally far apart (within 1 % or 0.02 mm), but the steps are "
        f"{_table(steps)}; choose or export a series with one spacing",
    )


def _check_grid(along: Positions, step: float) -> None:
    """Refuse small differences of the steps that add up: the image will claim a regular grid."""
    off = np.abs(along - np.arange(len(along)) * step)
    if off.max() > MAX_GRID_SHARE * step:
        worst = int(off.argmax())
        raise RefusedSeriesError(
            "irregular-spacing",
            f"slice {worst + 1} of {len(along)} is {off[worst]:.3g} mm off the regular grid of "
            f"{step:.4g} mm (at most {MAX_GRID_SHARE:.0%} of a step); export a series with one "
            "spacing",
        )


def _check_line(drift: Positions, step_drift: Positions, step: float) -> None:
    """Refuse positions that leave the straight line from first to last."""
    expected = np.arange(len(drift))[:, None] * step_drift
    off = np.linalg.norm(drift - expected, axis=1)
    allowed = max(RELATIVE_TOLERANCE * step, ABSOLUTE_TOLERANCE)
    if off.max() > allowed:
        worst = int(off.argmax())
        raise RefusedSeriesError(
            "irregular-positions",
            f"slice positions must lie on one line (within {allowed:.2g} mm), but slice "
            f"{worst + 1} of {len(drift)} is {off[worst]:.4g} mm beside it; check that all slices "
            "belong together",
        )


def _table(steps: Positions) -> str:
    values, counts = np.unique(np.round(steps, 2), return_counts=True)
    shown = [f"{value:.2f} mm ({count} times)" for value, count in zip(values, counts, strict=True)]
    return ", ".join(shown[:8]) + (f" and {len(shown) - 8} more" if len(shown) > 8 else "")
