"""What is extracted, and the columns that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from survkit.errors import ConfigError
from survkit.radiomics import FEATURE_CLASSES, RadiomicsSettings
from survkit.suggest import did_you_mean

Region = Literal["roi", "patches"]

_SHAPE = (
    "Elongation Flatness LeastAxisLength MajorAxisLength Maximum2DDiameterColumn "
    "Maximum2DDiameterRow Maximum2DDiameterSlice Maximum3DDiameter MeshVolume MinorAxisLength "
    "Sphericity SurfaceArea SurfaceVolumeRatio VoxelVolume"
)
_SHAPE_2D = (
    "Elongation MajorAxisLength MaximumDiameter MeshSurface MinorAxisLength Perimeter "
    "PerimeterSurfaceRatio PixelSurface Sphericity"
)
SHAPE_NAMES: Mapping[str, tuple[str, ...]] = {
    "volume": tuple(f"shape_{name}" for name in _SHAPE.split()),
    "image": tuple(f"shape2D_{name}" for name in _SHAPE_2D.split()),
}
"""Shape features by kind of the modality, under pyradiomics' names without ``original_``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionSettings:
    """What is extracted of every subject.

    Attributes:
        region: The mask's region, one row per subject; or the patches of a grid over the image, one
            row per patch.
        patch: Side of a patch in pixels.
        radiomics: Grey levels and neighbourhood.
        classes: Of the features, in the order of the columns; all by default.
        shape: Also the shape of the region, which needs pyradiomics.

    Raises:
        ConfigError: There is no such class, or patches are asked for their shape.
    """

    region: Region = "roi"
    patch: int = 32
    radiomics: RadiomicsSettings = field(default_factory=RadiomicsSettings)
    classes: Sequence[str] = tuple(FEATURE_CLASSES)
    shape: bool = False

    def __post_init__(self) -> None:
        if self.patch < 2:
            raise ConfigError(f"a patch has at least 2 pixels on a side, not {self.patch}")
        if self.shape and self.region == "patches":
            raise ConfigError(
                "all patches have one shape, so there are no shape features of them; leave shape "
                "out, or take region: roi"
            )
        for name in self.classes:
            if name not in FEATURE_CLASSES:
                raise ConfigError(
                    f"no class of features is named '{name}'. {did_you_mean(name, FEATURE_CLASSES)}"
                )
        if not self.classes or len(set(self.classes)) < len(self.classes):
            given = ", ".join(self.classes) or "none"
            raise ConfigError(f"classes of features are named, each once, not: {given}")

    @property
    def fingerprint(self) -> str:
        """One line that is equal where a subject's numbers are: classes only choose among them."""
        region = f"patches of {self.patch}" if self.region == "patches" else "roi"
        return f"{region} | {self.radiomics.fingerprint} | shape={self.shape}"

    def features(self, kind: str) -> tuple[str, ...]:
        """Return the columns of features: ``glcm_Contrast``, …, then those of the shape.

        Args:
            kind: ``image`` or ``volume``.
        """
        names = [f"{group}_{name}" for group in self.classes for name in FEATURE_CLASSES[group]]
        return (*names, *(SHAPE_NAMES[kind] if self.shape else ()))
