"""RTSTRUCT: the regions that somebody outlined, and which voxels lie inside.

A voxel belongs to a region if its centre lies inside the outline. Outlines of one slice combine by
exclusive or, so an outline within another cuts a hole (DICOM PS3.3, C.8.8.6.3: the even-odd rule).
Nothing is drawn between slices: a slice without an outline holds nothing of the region.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.dicom.mask_grid import PLANE_TOLERANCE, MaskGrid, grid_of
from survkit.dicom.open_dicom import open_dicom
from survkit.dicom.shown_name import shown_name
from survkit.dicom.tag_values import WrongTagError, items, numbers, text, whole
from survkit.dicom.wrong_tags import shown_code, shown_label, value_of, wrong_tags_refused
from survkit.errors import DataError
from survkit.suggest import did_you_mean

CLOSED = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"})
"""Outlines that enclose something; points and open lines enclose nothing."""


@dataclass(frozen=True, slots=True)
class Structure:
    """One outlined region.

    Attributes:
        name: As the file names it.
        contours: Corner points of each closed outline, (n, 3), LPS in mm.
        others: Kinds of its outlines that enclose nothing, such as ``POINT``, or of two points.
        fault: Why the region cannot be used, though others of the file can; empty if it can.
    """

    name: str
    contours: tuple[NDArray[np.float64], ...]
    others: tuple[str, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class StructureSet:
    """The regions of one file and the images they were drawn on.

    Attributes:
        structures: In the order of the file; names may repeat.
        frame_uids: Frames of reference.
        series_uids: Series that the file refers to; may be empty.
    """

    structures: tuple[Structure, ...]
    frame_uids: frozenset[str]
    series_uids: frozenset[str]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the regions."""
        return tuple(structure.name for structure in self.structures)

    def find(self, name: str) -> Structure:
        """Return the region of a name.

        Raises:
            DataError: None or several have it.
        """
        found = [structure for structure in self.structures if structure.name == name]
        if not found:
            raise DataError(f"no region is named '{name}'. {did_you_mean(name, self.names)}")
        if len(found) > 1:
            raise DataError(
                f"{len(found)} regions are named '{name}'; rename them so that each name is one "
                "region"
            )
        return found[0]


def read_structures(path: Path) -> StructureSet:
    """Read an RTSTRUCT file.

    A region whose coordinates are none is refused when it is used, not the whole file.

    Raises:
        DataError: Unreadable, or not an RTSTRUCT.
        MissingExtraError: pydicom is not installed.
    """
    data, where = open_dicom(path), shown_name(path)
    with wrong_tags_refused(where):
        if text(data, "Modality") != "RTSTRUCT":
            raise DataError(
                f"{where}: not an RTSTRUCT (its Modality is {shown_code(text(data, 'Modality'))})"
            )
        drawn: dict[int | None, list[Any]] = {}
        for item in items(data, "ROIContourSequence"):
            drawn.setdefault(whole(item, "ReferencedROINumber"), []).append(item)
        structures = []
        for item in items(data, "StructureSetROISequence"):
            name = shown_label(text(item, "ROIName"))
            parts = drawn.get(whole(item, "ROINumber"), [])
            structures.append(_structure(name, parts))
        return StructureSet(tuple(structures), _frames(data), _series(data))


def contour_mask(structure: Structure, image: Any) -> NDArray[np.bool_]:
    """Return the voxels whose centre lies inside the region; bool (z, y, x).

    A centre on an edge counts as inside where the region lies at higher x (at higher y, for an
    edge along x), so that regions which share an edge share no voxel.

    Args:
        structure: The region.
        image: SimpleITK image that it was drawn on.

    Raises:
        DataError: No outline encloses anything, one does not lie on a slice of the image or
            reaches beyond it, or no voxel's centre lies inside.
    """
    if structure.fault:
        raise DataError(f"region '{structure.name}': {structure.fault}")
    if not structure.contours:
        kinds = (
            f"only outlines of the kind {', '.join(structure.others)}" if structure.others else ""
        )
        raise DataError(
            f"region '{structure.name}' holds {kinds or 'no outline'}; nothing is inside"
        )
    grid = grid_of(image)
    crossings = np.zeros(grid.shape, dtype=np.uint8)
    for contour in structure.contours:
        corners = grid.voxels(contour)
        plane = _plane(corners, grid, structure.name)
        _toggle(crossings[plane], corners[:, :2])
    # Going along x, a voxel is inside after an odd number of edges; uint8 wraps at an even number.
    inside = (np.cumsum(crossings, axis=2, dtype=np.uint8) & 1).astype(bool)
    if not inside.any():
        raise DataError(
            f"region '{structure.name}' is smaller than a voxel: no voxel's centre lies inside"
        )
    return inside


def _plane(corners: NDArray[np.float64], grid: MaskGrid, name: str) -> int:
    """Return the slice that an outline lies on."""
    depth = corners[:, 2]
    plane = round(float(depth.mean()))
    off = float(np.abs(depth - plane).max())
    if off > PLANE_TOLERANCE:
        raise DataError(
            f"region '{name}': an outline lies {off * grid.spacing[2]:.3g} mm from the nearest "
            f"slice, slices are {grid.spacing[2]:.4g} mm apart; it was drawn on another image"
        )
    size = np.array(grid.size)
    low, high = corners.min(axis=0), corners.max(axis=0)
    low[2] = high[2] = plane
    beyond = np.maximum(-0.5 - low, high - (size - 0.5)) * grid.spacing
    if (beyond > 1e-6).any():
        raise DataError(
            f"region '{name}': an outline reaches {beyond.max():.3g} mm beyond the image; it was "
            "drawn on another image, or the image was cut"
        )
    return plane


def _toggle(row_starts: NDArray[np.uint8], corners: NDArray[np.float64]) -> None:
    """Count, at the first voxel right of it, each crossing of the outline with each row."""
    rows, columns = row_starts.shape
    start, end = corners, np.roll(corners, -1, axis=0)
    upward = start[:, 1] <= end[:, 1]
    low = np.where(upward[:, None], start, end)
    high = np.where(upward[:, None], end, start)
    # Half-open in y: a corner on a row is crossed by one of its two edges, or by both or neither.
    first = np.clip(np.ceil(low[:, 1]), 0, rows).astype(int)
    last = np.clip(np.ceil(high[:, 1]), 0, rows).astype(int)
    count = last - first
    edge = np.repeat(np.arange(len(corners)), count)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    slope = (high[edge, 0] - low[edge, 0]) / (high[edge, 1] - low[edge, 1])
    crossing = low[edge, 0] + (row - low[edge, 1]) * slope
    column = np.maximum(np.ceil(crossing), 0).astype(int)
    seen = column < columns
    np.add.at(row_starts, (row[seen], column[seen]), 1)


def _structure(name: str, parts: list[Any]) -> Structure:
    contours, others = [], []
    try:
        for part in parts:
            for item in items(part, "ContourSequence"):
                kind = shown_code(text(item, "ContourGeometricType"))
                count = len(value_of(item, "ContourData") or ())
                if count % 3:
                    raise WrongTagError(f"an outline of {count} numbers is not one of points")
                values = numbers(item, "ContourData", count) or ()
                if kind not in CLOSED:
                    others.append(kind)
                elif count < 9:  # has no inside, whatever the rule
                    others.append(f"{kind} of {count // 3} points")
                else:
                    contours.append(np.array(values, dtype=np.float64).reshape(-1, 3))
    except WrongTagError as error:
        return Structure(name, (), (), str(error))
    return Structure(name, tuple(contours), tuple(dict.fromkeys(others)))


def _frames(data: Any) -> frozenset[str]:
    referenced = items(data, "ReferencedFrameOfReferenceSequence")
    found = [text(item, "FrameOfReferenceUID") for item in [data, *referenced]]
    found += [
        text(item, "ReferencedFrameOfReferenceUID")
        for item in items(data, "StructureSetROISequence")
    ]
    return frozenset(uid for uid in found if uid)


def _series(data: Any) -> frozenset[str]:
    found = [
        text(series, "SeriesInstanceUID")
        for frame in items(data, "ReferencedFrameOfReferenceSequence")
        for study in items(frame, "RTReferencedStudySequence")
        for series in items(study, "RTReferencedSeriesSequence")
    ]
    return frozenset(uid for uid in found if uid)
