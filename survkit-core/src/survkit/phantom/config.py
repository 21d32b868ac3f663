"""What a phantom cohort is made from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from survkit.errors import ConfigError
from survkit.phantom.event_times import WeibullBaseline
from survkit.phantom.truth import CARRIES, DEFAULT_EFFECTS, STANDARD_RADII, CauseEffects

SMALLEST_SIZE, LARGEST_SIZE = 16, 128
RADIUS_BOUNDS = (1.0, 40.0)
"""Of lesions in mm: the lungs have no room for larger ones."""
CAUSE_NAMES = ("cancer_death", "other_death")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomConfig:
    """Everything that decides a phantom cohort; equal settings give equal cohorts.

    Attributes:
        subjects: Number of subjects; subject i is the same in cohorts of every size.
        size: Voxels per edge of the volumes and pixels per edge of the X-ray, 16 to 128, over 320
            mm.
        seed: Of everything random.
        causes: 1, or 2 competing ones.
        censored: Expected share of censored subjects, by end of follow-up and at random together.
        follow_up: Days after which everybody is censored.
        modalities: Any of ct, pet, cxr, clinical.
        sites: Number of sites.
        site_shift: How far the sites' scanners differ: 0 not at all, 1 ordinary, 3 badly.
        missing: Share of the subjects that lack a modality, by modality; one modality must be
            complete.
        missing_biomarker: Share of the clinical rows without a biomarker.
        effects: The log hazard of each cause as a function of the factors; ``None`` for the
            standard ones.
        baseline: The hazards of a subject of log hazard 0, with one scale per cause at least.
        lesion_radii: Smallest and largest radius of a lesion in mm. The hazard follows the volume's
            place between the two, so it is the same for small lesions.
        hounsfield: The cohort file gives the CT in HU, without a window, and names the mask of the
            lesion: for encoders that prepare it themselves, and to see where a model looks.
        masks: The cohort file names the mask of the lesion in every kind of image; what the images
            hold stays the same.
    """

    subjects: int = 300
    size: int = 32
    seed: int = 0
    causes: int = 1
    censored: float = 0.35
    follow_up: float = 1825.0
    modalities: tuple[str, ...] = ("ct", "pet", "clinical")
    sites: int = 3
    site_shift: float = 1.0
    missing: Mapping[str, float] = field(default_factory=dict)
    missing_biomarker: float = 0.1
    effects: tuple[CauseEffects, ...] | None = None
    baseline: WeibullBaseline = field(default_factory=WeibullBaseline)
    lesion_radii: tuple[float, float] = STANDARD_RADII
    hounsfield: bool = False
    masks: bool = False

    def __post_init__(self) -> None:
        self._check_counts()
        self._check_shares()
        self._check_modalities()
        self._check_radii()
        if self.effects is not None and len(self.effects) != self.causes:
            raise ConfigError(
                f"effects must be given for each of {self.causes} causes, not {len(self.effects)}"
            )
        if len(self.baseline.scales) < self.causes:
            raise ConfigError(
                f"the baseline needs a scale for each of {self.causes} causes, "
                f"not {len(self.baseline.scales)}"
            )

    @property
    def cause_effects(self) -> tuple[CauseEffects, ...]:
        """The effects in use, one per cause."""
        return DEFAULT_EFFECTS[: self.causes] if self.effects is None else self.effects

    @property
    def imaged(self) -> bool:
        """Whether there is an image, and so a lesion to be seen on one."""
        return any(name != "clinical" for name in self.modalities)

    @property
    def cause_baseline(self) -> WeibullBaseline:
        """The baseline in use, one scale per cause."""
        return WeibullBaseline(
            shape=self.baseline.shape, scales=self.baseline.scales[: self.causes]
        )

    @property
    def cause_names(self) -> tuple[str, ...]:
        """Names of the causes with event codes 1, 2."""
        return CAUSE_NAMES[: self.causes]

    def _check_counts(self) -> None:
        for name, low, high in (
            ("subjects", 1, 1_000_000),
            ("size", SMALLEST_SIZE, LARGEST_SIZE),
            ("seed", 0, 2**63 - 1),
            ("causes", 1, len(CAUSE_NAMES)),
            ("sites", 1, 1000),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ConfigError(
                    f"{name} must be a whole number from {low} to {high}, not {value!r}"
                )

    def _check_shares(self) -> None:
        shares = {"missing_biomarker": self.missing_biomarker}
        shares |= {f"missing[{name!r}]": rate for name, rate in self.missing.items()}
        for name, share in shares.items():
            if not 0 <= share < 1:
                raise ConfigError(f"{name} must be a share from 0 to below 1, not {share!r}")
        if not 0 < self.censored < 1:
            raise ConfigError(f"censored must be a share between 0 and 1, not {self.censored!r}")
        for name in ("follow_up", "site_shift"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0 or (name == "follow_up" and value == 0):
                least = "a positive number" if name == "follow_up" else "0 or a positive number"
                raise ConfigError(f"{name} must be {least}, not {value!r}")

    def _check_radii(self) -> None:
        low, high = RADIUS_BOUNDS
        if len(self.lesion_radii) != 2 or not (
            low <= self.lesion_radii[0] < self.lesion_radii[1] <= high
        ):
            raise ConfigError(
                f"lesion_radii must be the smallest and a larger largest radius from {low:g} to "
                f"{high:g} mm, not {self.lesion_radii}"
            )

    def _check_modalities(self) -> None:
        known = ", ".join(CARRIES)
        unknown = [name for name in self.modalities if name not in CARRIES]
        if unknown or not self.modalities or len(set(self.modalities)) < len(self.modalities):
            raise ConfigError(
                f"modalities must be different ones of {known}, not {list(self.modalities)}"
            )
        if self.hounsfield and "ct" not in self.modalities:
            raise ConfigError("HU are those of the CT, which is not among the modalities")
        if self.masks and set(self.modalities) <= {"clinical"}:
            raise ConfigError(
                "masks lie over images, but the modalities are clinical alone: add ct, pet or cxr"
            )
        for name in self.missing:
            if name not in self.modalities or name == "clinical":
                able = ", ".join(item for item in self.modalities if item != "clinical")
                raise ConfigError(f"missing rates can be given for {able}, not for {name!r}")
        if all(self.missing.get(name, 0) > 0 for name in self.modalities):
            raise ConfigError(
                f"every modality has a missing rate ({dict(self.missing)}), so some subjects "
                "would have none; set one of them to 0 or add 'clinical'"
            )
