"""Radiomic features in torch: what pyradiomics computes, for all patches of all images at once."""

from __future__ import annotations

from survkit.radiomics.names import FEATURE_CLASSES, FEATURE_NAMES
from survkit.radiomics.patches import patch_features
from survkit.radiomics.roi import roi_features
from survkit.radiomics.settings import RadiomicsSettings
from survkit.radiomics.shape import shape_features, shape_version

__all__ = [
    "FEATURE_CLASSES",
    "FEATURE_NAMES",
    "RadiomicsSettings",
    "patch_features",
    "roi_features",
    "shape_features",
    "shape_version",
]
