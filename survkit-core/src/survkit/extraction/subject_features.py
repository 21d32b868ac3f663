"""The features of one subject, computed or found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from survkit.data.cache import CacheEntry, PreparationCache
from survkit.errors import DataError, UserError
from survkit.extraction.raw_modality import RawSource, refuse_channels
from survkit.extraction.settings import SHAPE_NAMES, ExtractionSettings
from survkit.protocols import Sample
from survkit.radiomics import patch_features, roi_features, shape_features, shape_version
from survkit.specs import InputSpec

FORMAT = b"survkit-radiomics/1"

Floats = NDArray[np.float64]

_UNUSED = InputSpec(kind="image", shape=(1, 1, 1))
"""Files say their own shape; to learn it beforehand would read every image twice."""


@dataclass(frozen=True, slots=True)
class SubjectWork:
    """How subjects are computed; sent to every worker.

    Attributes:
        source: Of the modality, without a window.
        settings: What is extracted.
        cache: Where finished subjects are kept; ``None`` for nowhere.
    """

    source: RawSource
    settings: ExtractionSettings
    cache: PreparationCache | None

    def find(self, row: int) -> Floats | None:
        """Return what an earlier run has kept of a subject; ``None`` where it must be computed, or
        its files cannot be read.
        """
        if self.cache is None:
            return None
        try:
            entry = self.cache.find(self._key(row))
        except DataError:  # said when it is computed
            return None
        return None if entry is None else _whole(entry)

    def run(self, row: int) -> Floats | str:
        """Return a subject's features, float64 (row, feature), or why there are none.

        Of patches the first two columns are the place in the grid.
        """
        try:
            if self.cache is None:
                return self._computed(row).numpy()
            return _whole(self.cache.fill(self._key(row), lambda: self._computed(row)))
        except UserError as error:
            return " ".join(str(error).split())

    def _key(self, row: int) -> str:
        """Return the hash of all that the numbers depend on."""
        parts = [FORMAT, self.source.identity(row), self.settings.fingerprint.encode()]
        parts.append(torch.__version__.encode())
        if self.settings.shape:
            parts.append(shape_version().encode())
        return hashlib.sha256(b"\x1f".join(hashlib.sha256(p).digest() for p in parts)).hexdigest()

    def _computed(self, row: int) -> Tensor:
        sample = self.source.read(row, _UNUSED)
        assert sample is not None  # only those who have the modality are asked for
        refuse_channels(len(sample.values), sample.source)
        try:
            if self.settings.region == "patches":
                return _of_patches(sample, self.settings)
            return _of_region(sample, self.settings)
        except DataError as error:
            if sample.source in str(error):
                raise
            raise DataError(f"{sample.source}: {error}") from error


def _of_patches(sample: Sample, settings: ExtractionSettings) -> Tensor:
    """Return place and features of every patch, row by row."""
    image, side = sample.values[0], settings.patch
    height, width = image.shape
    if min(height, width) < side:
        raise DataError(
            f"the image of {height} x {width} pixels is smaller than a patch of {side} x {side}; "
            "ask for smaller patches, or declare a larger 'size' in the cohort file"
        )
    if height % side or width % side:
        whole = ", ".join(str(-(-each // side) * side) for each in (height, width))
        raise DataError(
            f"the image of {height} x {width} pixels has sides that are no multiples of the patch "
            f"of {side} pixels; declare one 'size' for this modality in the cohort file, such as "
            f"[{whole}], with 'fit: pad' to keep the proportions"
        )
    features = patch_features(image[None], side, settings.radiomics)[0]
    places = torch.cartesian_prod(torch.arange(height // side), torch.arange(width // side))
    return torch.cat([places.double(), features], dim=1)


def _of_region(sample: Sample, settings: ExtractionSettings) -> Tensor:
    """Return the features of the mask's region as one row."""
    image = sample.values[0]
    if sample.mask is None:
        raise DataError("the subject has no mask, so there is no region")
    spacing = sample.spacing or (1.0,) * image.ndim  # a pixel without a size counts as 1 mm
    features = roi_features(image, sample.mask, spacing, settings.radiomics)
    if settings.shape:
        found = shape_features(sample.mask, spacing)
        names = SHAPE_NAMES["volume" if image.ndim == 3 else "image"]
        shape = torch.tensor([found[name] for name in names], dtype=torch.float64)
        features = torch.cat([features, shape])
    return features[None]


def _whole(entry: CacheEntry) -> Floats:
    return np.asarray(np.load(entry.path, allow_pickle=False), dtype=np.float64)
