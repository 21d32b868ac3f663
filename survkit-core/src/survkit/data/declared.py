"""What a cohort file declares about the values of a modality."""

from __future__ import annotations

from survkit.data.cohort import Cohort
from survkit.data.modality_config import ImageModality, ImagingModality, VolumeModality
from survkit.specs import InputSpec

WINDOWED = (-1.0, 1.0)
"""What a declared window is mapped to by the readers, unless a range is declared."""


def declared_range(cohort: Cohort, modality: str) -> tuple[float, float] | None:
    """Return lowest and highest intensity; ``None`` where no window or range is declared."""
    settings = cohort.declaration(modality)
    if isinstance(settings, ImageModality) and settings.range is not None:
        return settings.range[0], settings.range[1]
    windowed = isinstance(settings, ImagingModality) and settings.window is not None
    return WINDOWED if windowed else None


def declared_spacing(cohort: Cohort, modality: str, spec: InputSpec) -> tuple[float, ...] | None:
    """Return the voxel size that all subjects share because the cohort resamples to it; ``None``
    where every file may have its own. With a shared grid the other volume's declaration counts.
    """
    settings = cohort.declaration(modality)
    if isinstance(settings, VolumeModality) and settings.grid is not None:
        return declared_spacing(cohort, settings.grid, spec)
    shared = isinstance(settings, VolumeModality) and settings.spacing is not None
    return spec.spacing if shared else None
