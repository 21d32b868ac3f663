"""What a volume is like and what was done to it, in a line per series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_TOWARDS = (("L", "R"), ("P", "A"), ("S", "I"))
OBLIQUE = 0.01
"""Cosines beyond this between an axis and the nearest patient axis are said (0.6 degrees)."""


@dataclass(frozen=True, slots=True)
class SeriesQuality:
    """Facts of a volume that was read; none identifies a person.

    Attributes:
        modality: Such as "CT".
        slices: How many slices.
        size: Voxels (z, y, x) of the image.
        spacing: Between voxel centres in mm (z, y, x).
        thickness: SliceThickness in mm as the file says, ``None`` if absent; never used.
        orientation: Where the axes x, y, z run to, such as "LPS"; "oblique" is added where they
            are off the patient's axes.
        tilt: Degrees between the slices' normal and the line of their positions, as scanned.
        tilt_corrected: Whether the shear was taken out by resampling.
        duplicates: Identical slices that were left out.
        padding: Voxels that the file declares to be padding.
        transfer_syntax: In words.
        lossy: Whether the compression may have lost detail.
        unit: Of the values: "HU", or what the file says ("BQML"), or "stored".
        minimum: Smallest value.
        maximum: Largest value.
        notes: What else was seen.
    """

    modality: str
    slices: int
    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    thickness: float | None
    orientation: str
    tilt: float
    tilt_corrected: bool
    duplicates: int
    padding: int
    transfer_syntax: str
    lossy: bool
    unit: str
    minimum: float
    maximum: float
    notes: tuple[str, ...] = ()

    def line(self) -> str:
        """Return the facts in one line."""
        spacing = " x ".join(f"{each:.4g}" for each in self.spacing)
        parts = [
            f"{self.modality}, {self.slices} slices, {spacing} mm (z, y, x), {self.orientation}",
            f"{self.minimum:g} to {self.maximum:g} {self.unit}",
            self.transfer_syntax,
        ]
        if self.tilt_corrected:
            parts.append(f"tilt of {self.tilt:.2f} degrees corrected")
        if self.duplicates:
            parts.append(f"{self.duplicates} identical slices left out")
        if self.padding:
            parts.append(f"{self.padding} padding voxels")
        if self.lossy:
            parts.append("its compression may have lost detail")
        return "; ".join([*parts, *self.notes])


def orientation_code(direction: Sequence[Sequence[float]]) -> str:
    """Return where the axes run to, such as "LPS"; " oblique" is added where they are not exact.

    Args:
        direction: Rows of the matrix whose columns are the directions of the axes x, y and z, LPS.
    """
    matrix = np.array(direction)
    left = [0, 1, 2]
    code = {}
    exact = True
    for axis in np.argsort(-np.abs(matrix).max(axis=0), kind="stable"):
        nearest = max(left, key=lambda each: abs(matrix[each, axis]))
        left.remove(nearest)
        code[int(axis)] = _TOWARDS[nearest][0 if matrix[nearest, axis] > 0 else 1]
        exact &= bool(np.delete(np.abs(matrix[:, axis]), nearest).max() <= OBLIQUE)
    return "".join(code[axis] for axis in range(3)) + ("" if exact else " oblique")
