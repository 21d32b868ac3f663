"""A segment of a DICOM SEG on the grid of the image it was drawn on.

A frame is placed by its own position; it must coincide with a slice of the image and is never
resampled. Slices without a frame hold nothing of the segment.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.dicom.mask_grid import PLANE_TOLERANCE, MaskGrid, grid_of
from survkit.dicom.open_dicom import open_dicom
from survkit.dicom.pixel_format import MAX_VOLUME_VOXELS, NATIVE, RLE, syntax_name
from survkit.dicom.segmentation import Segmentation, SegmentFrame
from survkit.dicom.tag_values import text, whole
from survkit.dicom.wrong_tags import value_of, wrong_tags_refused
from survkit.errors import DataError

READABLE = (NATIVE - {"1.2.840.10008.1.2.2"}) | {RLE}
"""Big-endian bits are packed as nobody agrees, and lossy ones are no segments."""
DIRECTION_TOLERANCE = 1e-3
"""Largest difference of the cosines of a frame's axes from the image's."""


def segment_mask(
    segmentation: Segmentation, number: int, image: Any, *, threshold: float | None = None
) -> NDArray[np.bool_]:
    """Return the voxels of one segment; bool (z, y, x).

    Args:
        segmentation: Of :func:`survkit.dicom.segmentation.read_segmentation`.
        number: Of the segment.
        image: SimpleITK image that it was drawn on.
        threshold: Smallest share, in (0, 1], that counts as inside; fractional ones need it.

    Raises:
        DataError: A frame does not coincide with a slice of the image, two frames are of one
            slice, the pixels are not readable, no voxel is inside, or the threshold is missing or
            pointless.
    """
    least = _least(segmentation, threshold)
    grid = grid_of(image)
    places: dict[int, tuple[int, int, int]] = {}
    for index, frame in enumerate(segmentation.frames):
        if frame.segment == number:
            places[index] = _first_voxel(frame, segmentation, grid, index + 1)
    slices = [z for _, _, z in places.values()]
    twice = sorted({z for z in slices if slices.count(z) > 1})
    if twice:
        raise DataError(
            f"{segmentation.shown}: segment {number} has two frames on slice {twice[0] + 1}; one "
            "is expected"
        )
    inside = np.zeros(grid.shape, dtype=bool)
    rows, columns = segmentation.size
    pixels = _pixels(segmentation)
    for index, (x, y, z) in places.items():
        inside[z, y : y + rows, x : x + columns] = pixels(index) >= least
    if not inside.any():
        label = segmentation.labels.get(number, str(number))
        raise DataError(f"{segmentation.shown}: segment '{label}' is empty: no voxel is inside")
    return inside


def _least(segmentation: Segmentation, threshold: float | None) -> float:
    """Return the smallest stored value that counts as inside."""
    if threshold is None:
        if segmentation.fractional:
            raise DataError(
                f"{segmentation.shown}: the segments are fractional; say from which share on a "
                "voxel is inside, such as a threshold of 0.5"
            )
        return 1
    if not segmentation.fractional:
        raise DataError(f"{segmentation.shown}: the segments are binary; a threshold means nothing")
    if not 0 < threshold <= 1:
        raise DataError(f"a threshold is a share above 0 and up to 1, not {threshold}")
    return threshold * segmentation.maximum


def _first_voxel(
    frame: SegmentFrame, segmentation: Segmentation, grid: MaskGrid, number: int
) -> tuple[int, int, int]:
    """Return the voxel (x, y, z) of the image on which the frame's first pixel lies."""
    where = f"{segmentation.shown}: frame {number}"
    if np.abs(frame.axes - grid.direction[:, :2].T).max() > DIRECTION_TOLERANCE:
        raise DataError(f"{where}: its axes are not the image's; it was drawn on another image")
    if not np.allclose(frame.spacing[::-1], grid.spacing[:2], rtol=1e-3, atol=0):
        raise DataError(
            f"{where}: its pixels are {frame.spacing[0]:.4g} x {frame.spacing[1]:.4g} mm, the "
            f"image's {grid.spacing[1]:.4g} x {grid.spacing[0]:.4g} mm; it is not resampled"
        )
    place = grid.voxels(frame.origin[None])[0]
    voxel = np.round(place)
    off = np.abs(place - voxel)
    if (off > PLANE_TOLERANCE).any():
        raise DataError(
            f"{where}: it lies {(off * grid.spacing).max():.3g} mm off the image's grid; it was "
            "drawn on another image"
        )
    rows, columns = segmentation.size
    last = voxel + np.array([columns - 1, rows - 1, 0])
    if (voxel < 0).any() or (last > np.array(grid.size) - 1).any():
        raise DataError(f"{where}: it reaches beyond the image; it was drawn on another image")
    x, y, z = voxel.astype(int).tolist()
    return (x, y, z)


def _pixels(segmentation: Segmentation) -> Callable[[int], NDArray[Any]]:
    """Return a function that gives one frame's stored values; (row, column)."""
    where, (rows, columns) = segmentation.shown, segmentation.size
    data = open_dicom(segmentation.path, pixels=True)
    with wrong_tags_refused(where):
        bits = whole(data, "BitsAllocated") or 0
        stored = value_of(data, "PixelData")
        syntax = text(data.file_meta, "TransferSyntaxUID")
    if not isinstance(stored, bytes):
        raise DataError(f"{where}: there are no pixels")
    if bits not in (1, 8) or (bits == 1 and segmentation.fractional):
        raise DataError(f"{where}: pixels of {bits} bits do not fit its SegmentationType")
    if syntax not in READABLE:
        raise DataError(
            f"{where}: the transfer syntax '{syntax_name(syntax)}' of a SEG cannot be decoded; "
            "convert it to an uncompressed one"
        )
    size = rows * columns
    if size * len(segmentation.frames) > MAX_VOLUME_VOXELS:
        raise DataError(f"{where}: more than {MAX_VOLUME_VOXELS} pixels, the limit of a file")
    if syntax == RLE:
        return _decoded(data, where).__getitem__
    needed = -(-size * len(segmentation.frames) * bits // 8)
    if len(stored) < needed:
        raise DataError(f"{where}: {len(stored)} bytes of pixels, {needed} expected; it is cut off")
    values = np.frombuffer(stored, dtype=np.uint8)

    def frame(index: int) -> NDArray[np.uint8]:
        start = index * size
        if bits == 8:
            return values[start : start + size].reshape(rows, columns)
        # Frames follow each other without padding, so one may begin within a byte.
        part = values[start // 8 : -(-(start + size) // 8)]
        unpacked = np.unpackbits(part, bitorder="little")[start % 8 :][:size]
        return unpacked.reshape(rows, columns)

    return frame


def _decoded(data: Any, where: str) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pixels = np.asarray(data.pixel_array)
        except Exception as error:  # decoders fail over foreign bytes in ways that are not listed
            raise DataError(f"{where}: its compressed pixels cannot be decoded") from error
    return pixels if pixels.ndim == 3 else pixels[None]
