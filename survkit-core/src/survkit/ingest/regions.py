"""Regions of one series, from whichever of the patient's RTSTRUCT and SEG files hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.dicom.header import FileHeader
from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.rtstruct import StructureSet, contour_mask, read_structures
from survkit.dicom.segment_mask import segment_mask
from survkit.dicom.segmentation import Segmentation, read_segmentation
from survkit.dicom.series import Series
from survkit.errors import DataError
from survkit.suggest import did_you_mean

Drawn = StructureSet | Segmentation


@dataclass(frozen=True, slots=True)
class RegionFile:
    """A file with regions, read; the label is what messages call it."""

    path: Path
    kind: str
    label: str
    drawn: Drawn

    def mask(self, name: str, image: Any, threshold: float | None) -> NDArray[np.bool_]:
        """Return the voxels of a region; bool (z, y, x).

        Raises:
            DataError: It is not on the image's grid, empty, or not one region.
        """
        if isinstance(self.drawn, StructureSet):
            return contour_mask(self.drawn.find(name), image)
        number = self.drawn.find(name)
        threshold = threshold if self.drawn.fractional else None
        return segment_mask(self.drawn, number, image, threshold=threshold)


def read_regions(header: FileHeader, label: str) -> RegionFile:
    """Read an RTSTRUCT or SEG file.

    Raises:
        DataError: It cannot be read.
    """
    read = read_structures if header.modality == "RTSTRUCT" else read_segmentation
    return RegionFile(header.path, header.modality, label, read(header.path))


def drawn_on(file: RegionFile, series: Series) -> bool:
    """Whether a file's regions were drawn on a series.

    The series that the file names decide; a file that names none, its frame of reference.
    """
    if file.drawn.series_uids:
        return series.series_uid in file.drawn.series_uids
    frames = (
        file.drawn.frame_uids
        if isinstance(file.drawn, StructureSet)
        else frozenset({file.drawn.frame_uid} - {""})
    )
    return series.frame_uid in frames


def region_mask(
    name: str, files: Sequence[RegionFile], image: Any, threshold: float | None
) -> tuple[NDArray[np.bool_], RegionFile]:
    """Return the voxels of a region and the one file that holds it.

    Args:
        name: Of the region.
        files: Those that were drawn on the image.
        image: SimpleITK image.
        threshold: For fractional segments.

    Raises:
        RefusedSeriesError: No file has it, several have it, or it cannot be put on the image.
    """
    if not files:
        raise RefusedSeriesError(
            "no-region-file", f"no RTSTRUCT or SEG with region '{name}' was drawn on this series"
        )
    holding = [file for file in files if name in file.drawn.names]
    if not holding:
        known = {each for file in files for each in file.drawn.names}
        raise RefusedSeriesError(
            "no-region", f"no region is named '{name}'. {did_you_mean(name, known)}"
        )
    if len(holding) > 1:
        shown = ", ".join(file.label for file in holding[:4])
        raise RefusedSeriesError(
            "ambiguous-region",
            f"{len(holding)} files hold a region '{name}' ({shown}); choose by the kind of file "
            "(--mask-from) or take the others away",
        )
    try:
        return holding[0].mask(name, image, threshold), holding[0]
    except RefusedSeriesError:
        raise
    except DataError as error:
        raise RefusedSeriesError("region", str(error)) from error
