"""From settings to a cohort of known truth; images are drawn one subject at a time, when asked
for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survkit.errors import ConfigError
from survkit.phantom import truth
from survkit.phantom.anatomy import Grid, Place, draw_place
from survkit.phantom.chest_xray import project
from survkit.phantom.clinical import draw_clinical
from survkit.phantom.config import PhantomConfig
from survkit.phantom.event_times import Outcome, find_censoring_rate, observe
from survkit.phantom.missing import draw_presence
from survkit.phantom.pet import draw_pet
from survkit.phantom.sites import draw_scanner, draw_sites
from survkit.phantom.streams import stream
from survkit.phantom.thorax_ct import Lesion, draw_ct, lesion_mask

if TYPE_CHECKING:
    from survkit.flow import SurvivalTarget
    from survkit.metrics.estimate import Result

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SubjectImages:
    """What the scanners recorded of one subject; ``None`` for what the cohort or the subject does
    not have.

    Attributes:
        ct: HU, float32 (z, y, x).
        pet: SUV on the same grid.
        cxr: Line integrals of the attenuation, float32 (row, column).
        lesion: Where the lesion truly is, bool (z, y, x).
    """

    ct: NDArray[np.float32] | None
    pet: NDArray[np.float32] | None
    cxr: NDArray[np.float32] | None
    lesion: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Phantom:
    """A generated cohort and the truth behind it. Everything is in the order of the subjects.

    Attributes:
        config: What it was made from.
        factors: The latent factors.
        places: Where each lesion is.
        site: 0-based; int (subject).
        clinical: Columns age, sex, stage, biomarker.
        present: By modality who has it; bool (subject).
        outcome: What was observed of the event, and what was not.
    """

    config: PhantomConfig
    factors: truth.Factors
    places: tuple[Place, ...]
    site: NDArray[np.int64]
    clinical: pd.DataFrame
    present: dict[str, NDArray[np.bool_]]
    outcome: Outcome

    def __len__(self) -> int:
        return len(self.places)

    @property
    def subject_ids(self) -> tuple[str, ...]:
        """Names of the subjects, ``S0000`` onwards."""
        return tuple(f"S{subject:04d}" for subject in range(len(self)))

    @property
    def grid(self) -> Grid:
        """The voxels of all volumes."""
        return Grid(self.config.size)

    @property
    def log_hazard(self) -> Floats:
        """True log relative hazard of every cause; (subject, cause)."""
        return truth.log_hazard(self.factors, self.config.cause_effects)

    def partial_log_hazard(self, modality: str) -> Floats:
        """The part of the log hazard that a modality carries, its own oracle: (subject, cause).

        For ``"cxr"`` it is an upper bound. Missing modalities are not considered.
        """
        if modality not in truth.CARRIES:
            raise ConfigError(
                f"modality must be one of {', '.join(truth.CARRIES)}, not {modality!r}"
            )
        return truth.log_hazard(self.factors, self.config.cause_effects, truth.CARRIES[modality])

    def cumulative_incidence(self, times: Sequence[float] | Floats) -> Floats:
        """True P(event of cause k by t): (subject, cause, time); times in days."""
        return self.config.cause_baseline.cumulative_incidence(
            self.log_hazard, np.asarray(times, dtype=np.float64)
        )

    @property
    def target(self) -> SurvivalTarget:
        """What was observed, as metrics and losses take it."""
        import torch

        from survkit.flow import SurvivalTarget

        return SurvivalTarget(torch.tensor(self.outcome.duration), torch.tensor(self.outcome.event))

    def oracle_concordance(self, modality: str | None = None, cause: int = 1) -> Result:
        """Harrell's concordance of the true log hazard of a cause, or of the part one modality
        carries.

        No model does better except by chance of the sample: the hazard is the best ranking of the
        subjects at risk.
        """
        import torch

        from survkit.metrics.harrell import harrell_concordance

        if not 1 <= cause <= self.config.causes:
            raise ConfigError(f"cause must be 1 to {self.config.causes}, not {cause}")
        known = self.log_hazard if modality is None else self.partial_log_hazard(modality)
        return harrell_concordance(torch.tensor(known[:, cause - 1]), self.target, cause=cause)

    def lesion(self, subject: int) -> Lesion:
        """The lesion of a subject."""
        factors = self.factors
        return Lesion(
            place=self.places[subject],
            radius=float(factors.radius[subject]),
            texture=float(factors.texture[subject]),
            uptake=float(factors.uptake[subject]),
            core_radius=self.config.lesion_radii[0],
        )

    def images(self, subject: int) -> SubjectImages:
        """Draw the images of one subject; the same at every call."""
        has = {name: bool(present[subject]) for name, present in self.present.items()}
        return draw_images(self.config, self.lesion(subject), subject, int(self.site[subject]), has)

    def all_images(self) -> Iterator[SubjectImages]:
        """Draw the images of one subject after the other."""
        return (self.images(subject) for subject in range(len(self)))


def generate_phantom(config: PhantomConfig) -> Phantom:
    """Generate a cohort.

    Raises:
        ConfigError: The censored share cannot be reached.
    """
    seed, subjects = config.seed, config.subjects
    factors = truth.draw_factors(seed, subjects, config.lesion_radii)
    room = config.lesion_radii[1]
    return Phantom(
        config=config,
        factors=factors,
        places=tuple(draw_place(seed, subject, room) for subject in range(subjects)),
        site=draw_sites(seed, subjects, config.sites),
        clinical=draw_clinical(seed, factors, config.missing_biomarker),
        present=draw_presence(seed, subjects, config.modalities, config.missing),
        outcome=_draw_outcome(config, truth.log_hazard(factors, config.cause_effects)),
    )


def draw_images(
    config: PhantomConfig, lesion: Lesion, subject: int, site: int, has: dict[str, bool]
) -> SubjectImages:
    """Draw the images that one subject has; a function of its arguments alone, for use by parallel
    workers.
    """
    grid, seed = Grid(config.size), config.seed
    scanner = draw_scanner(seed, site, config.site_shift)
    ct = pet = cxr = None
    if has.get("ct") or has.get("cxr"):
        random = stream(seed, "ct", subject)
        clean = draw_ct(grid, lesion, random)
        if has.get("cxr"):
            cxr = scanner.scan_cxr(project(clean, grid.spacing), stream(seed, "cxr", subject))
        if has.get("ct"):
            ct = scanner.scan_ct(clean, random)
    if has.get("pet"):
        pet = scanner.scan_pet(draw_pet(grid, lesion), stream(seed, "pet", subject))
    return SubjectImages(ct, pet, cxr, lesion_mask(grid, lesion))


def _draw_outcome(config: PhantomConfig, log_hazard: Floats) -> Outcome:
    """Draw what happens, and what is seen of it.

    The censoring rate is that of the whole population, not of these subjects: adding subjects
    changes nobody.
    """
    baseline, seed = config.cause_baseline, config.seed
    population = truth.log_hazard(truth.reference_factors(), config.cause_effects)
    rate = find_censoring_rate(baseline, population, config.follow_up, config.censored)
    subjects = range(config.subjects)
    event = np.stack(
        [stream(seed, "event", subject).standard_exponential(config.causes) for subject in subjects]
    )
    withdrawal = np.array(
        [stream(seed, "censoring", subject).standard_exponential() for subject in subjects]
    )
    event_time, cause = baseline.event_times(log_hazard, event)
    with np.errstate(divide="ignore"):  # a rate of 0: nobody withdraws
        censoring_time = np.minimum(withdrawal / rate, config.follow_up)
    return observe(event_time, cause, censoring_time)
