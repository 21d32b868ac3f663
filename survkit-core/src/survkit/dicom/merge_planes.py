"""Slices at one place: copies are dropped, acquisitions are told apart, the rest is refused."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from survkit.dicom.decode import stored_planes
from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.series import Plane
from survkit.dicom.shown_name import shown_name
from survkit.dicom.stack_geometry import SAME_POSITION, axes_of

_KEYS: tuple[Callable[[Plane], Any], ...] = (
    lambda plane: plane.frame.acquisition,
    lambda plane: plane.frame.temporal,
    lambda plane: plane.header.image_type,
)
"""What may tell two acquisitions in one series apart."""


def sorted_planes(planes: Sequence[Plane]) -> list[Plane]:
    """Return slices in the order of their positions along the normal; copies by file name."""
    normal = axes_of(planes[0].frame.orientation or ())[:, 2]
    return sorted(
        planes,
        key=lambda plane: (float(np.dot(plane.frame.position or (), normal)), plane.header.path),
    )


def merged(planes: Sequence[Plane]) -> tuple[list[list[Plane]], int]:
    """Return the stacks that the sorted slices form, and how many copies were dropped.

    Raises:
        RefusedSeriesError: Different slices share a position, and neither AcquisitionNumber nor
            temporal position nor ImageType separates them into whole stacks.
    """
    groups = _at_one_place(planes)
    digests = _digests([plane for group in groups if len(group) > 1 for plane in group])
    kept: list[Plane] = []
    for group in groups:
        kept += {digests.get(_key(plane), b""): plane for plane in reversed(group)}.values()
    kept = sorted_planes(kept)
    dropped = len(planes) - len(kept)
    if len(kept) == len(groups):
        return [kept], dropped
    for key in _KEYS:
        parts = _parted(kept, key)
        lengths = {len(part) for part in parts}
        if len(parts) > 1 and min(lengths) > 2 and all(map(_is_single, parts)):
            return parts, dropped
    first, second = next(group for group in _at_one_place(kept) if len(group) > 1)[:2]
    raise RefusedSeriesError(
        "two-acquisitions",
        f"{len(kept)} different slices stand at {len(groups)} positions, such as "
        f"{shown_name(first.header.path)} and {shown_name(second.header.path)}, and no acquisition "
        "number, temporal position or image type separates them; export them as series of their "
        "own",
    )


def _at_one_place(planes: Sequence[Plane]) -> list[list[Plane]]:
    groups: list[list[Plane]] = []
    for plane in planes:
        if groups and _distance(groups[-1][0], plane) < SAME_POSITION:
            groups[-1].append(plane)
        else:
            groups.append([plane])
    return groups


def _distance(one: Plane, other: Plane) -> float:
    return float(np.linalg.norm(np.subtract(one.frame.position or (), other.frame.position or ())))


def _is_single(planes: Sequence[Plane]) -> bool:
    return all(len(group) == 1 for group in _at_one_place(planes))


def _parted(planes: Sequence[Plane], key: Callable[[Plane], Any]) -> list[list[Plane]]:
    parts: dict[Any, list[Plane]] = defaultdict(list)
    for plane in planes:
        parts[key(plane)].append(plane)
    return [parts[name] for name in sorted(parts)]


def _digests(planes: Sequence[Plane]) -> dict[tuple[Any, int], bytes]:
    """Return a digest of pixels and rescaling per slice; one file is open at a time."""
    by_file: dict[Any, list[Plane]] = defaultdict(list)
    for plane in planes:
        by_file[plane.header.path].append(plane)
    found = {}
    for own in by_file.values():
        pixels = stored_planes(own[0].header, [plane.index for plane in own])
        for plane, values in zip(own, pixels, strict=True):
            rescale = f"{plane.frame.slope}|{plane.frame.intercept}|".encode()
            found[_key(plane)] = hashlib.sha256(rescale + values.tobytes()).digest()
    return found


def _key(plane: Plane) -> tuple[Any, int]:
    return plane.header.path, plane.index
