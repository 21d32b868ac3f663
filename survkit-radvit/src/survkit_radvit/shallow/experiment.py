"""``radvit/shallow``: shallow ViTs under a Cox loss, on tokens whose relevant ones are known."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from survkit.errors import ConfigError
from survkit.findings import ExperimentPlan, Findings
from survkit_radvit.shallow import fixed_region, random_places, xray_patches
from survkit_radvit.shallow.design import Design
from survkit_radvit.shallow.event_times import Follow
from survkit_radvit.shallow.findings import FIGURES, findings
from survkit_radvit.shallow.fixed_region import FixedRegion
from survkit_radvit.shallow.random_places import RandomPlaces
from survkit_radvit.shallow.reference import HEADING, REFERENCE
from survkit_radvit.shallow.study_design import Steps, study_design
from survkit_radvit.shallow.train import Schedule
from survkit_radvit.shallow.xray_patches import PATCH, XrayPatches

DesignName = Literal["A+B", "A", "B", "pixels"]
_NOISES, _THRESHOLDS, _IMAGE_SIZE = (0.15, 0.30), (0.5, 1.0, 1.5, 2.0), 48
_EPOCHS = {"A": 150, "B": 120, "pixels": 150}


class ShallowExperiment:
    """Trains a shallow ViT under a Cox loss, asks whether its attention lies on the tokens that
    decide the outcome, prunes the others, and measures what that does to concordance.

    Args:
        design: ``"A"``: relevant patterns at random places. ``"B"``: a fixed region of graded
            severity. ``"A+B"``: both. ``"pixels"``: phantom chest X-rays with a lesion.
        noises: Of designs A and B: SDs of the noise per coordinate; 0.15 and 0.30 by default.
        image_size: Of the pixel design: 48 (by default) or 96 pixels per edge.
        subjects: Training, validation and test subjects; the design's own by default.
        censored: Share of the population that is censored.
        weibull_shape: Of the baseline hazard; 1 is constant.
        epochs: Of the training on all tokens; the design's own by default, 150 or 120.
        retrain_epochs: Of the training on what is kept; two thirds of ``epochs`` by default.
        thresholds: Values of c: a token is kept if its importance is at least c / token.
        batch: Subjects per step and risk set.
        lr: Learning rate of Adam.
        weight_decay: Of Adam.

    Raises:
        ConfigError: A setting cannot be used, or is not one of this design.
    """

    def __init__(
        self,
        *,
        design: DesignName = "A+B",
        noises: tuple[float, ...] | None = None,
        image_size: int | None = None,
        subjects: tuple[int, int, int] | None = None,
        censored: float = 0.3,
        weibull_shape: float = 1.0,
        epochs: int | None = None,
        retrain_epochs: int | None = None,
        thresholds: tuple[float, ...] = _THRESHOLDS,
        batch: int = 128,
        lr: float = 1e-3,
        weight_decay: float = 1e-4,
    ) -> None:
        _check_belongs(design, noises, image_size)
        _check_subjects(subjects)
        _check_counts(epochs=epochs, retrain_epochs=retrain_epochs, batch=batch)
        _check_increasing("noises", _NOISES if noises is None else noises)
        _check_increasing("thresholds", thresholds)
        _check_rates(lr, weight_decay)
        self._follow = Follow(censored=censored, shape=weibull_shape)
        self._noises = _NOISES if noises is None else tuple(noises)
        self._image_size = _IMAGE_SIZE if image_size is None else image_size
        self._subjects = subjects
        self._epochs, self._retrain_epochs = epochs, retrain_epochs
        self._thresholds = tuple(thresholds)
        self._batch, self._lr, self._weight_decay = batch, lr, weight_decay
        self._designs = {each.label: each for each in self._drawn(design)}
        asked = (subjects, censored, weibull_shape, epochs, retrain_epochs, batch, lr, weight_decay)
        self._as_referred = asked == (None, 0.3, 1.0, None, None, 128, 1e-3, 1e-4)

    @property
    def plan(self) -> ExperimentPlan:
        """What is done, a part per design and noise."""
        return ExperimentPlan(
            title="Shallow ViTs under a Cox loss: does attention find what decides the outcome?",
            source="Shi and Li (2026), arXiv 2604.21056, report such experiments. Their designs "
            "and numbers are not available; the designs here are this package's own, after Li, "
            "Wang, Liu and Chen (ICLR 2023), arXiv 2302.06015, with the Cox loss for the hinge "
            "loss.",
            reference=HEADING,
            parts=tuple(self._designs),
            figures=FIGURES,
            notes=_NOTES,
        )

    def __call__(self, part: str, *, seed: int) -> Findings:
        """Study one design at one noise with one seed."""
        design = self._designs[part]
        steps = Steps(
            schedule=Schedule(
                epochs=design.epochs,
                batch=self._batch,
                lr=self._lr,
                weight_decay=self._weight_decay,
            ),
            thresholds=self._thresholds,
            retrain_epochs=self._retrain_epochs or max(1, design.epochs * 2 // 3),
        )
        studied = study_design(design, steps, seed=seed)
        key = (design.name, math.nan if design.noise is None else design.noise)
        expected = REFERENCE.get(key, {}) if self._as_referred else {}
        return findings(studied, self._thresholds, expected)

    def _drawn(self, design: DesignName) -> Iterator[Design]:
        """Yield the designs asked for, at each noise."""
        if design in ("A+B", "A"):
            yield from map(self._random_places, self._noises)
        if design in ("A+B", "B"):
            yield from map(self._fixed_region, self._noises)
        if design == "pixels":
            yield self._xray_patches()

    def _random_places(self, noise: float) -> Design:
        sizes = self._subjects or random_places.SIZES
        return Design(
            name="A",
            noise=noise,
            draws=RandomPlaces(noise=noise, follow=self._follow, sizes=sizes),
            shape=(random_places.TOKENS, random_places.DIM),
            position="none",
            map_of="subject",
            epochs=self._epochs or _EPOCHS["A"],
        )

    def _fixed_region(self, noise: float) -> Design:
        sizes = self._subjects or fixed_region.SIZES
        return Design(
            name="B",
            noise=noise,
            draws=FixedRegion(noise=noise, follow=self._follow, sizes=sizes),
            shape=(fixed_region.SIDE**2, fixed_region.DIM),
            position="learned",
            map_of="population",
            epochs=self._epochs or _EPOCHS["B"],
        )

    def _xray_patches(self) -> Design:
        size = self._image_size
        sizes = self._subjects or xray_patches.SIZES
        return Design(
            name=f"pixels, {size} x {size}",
            noise=None,
            draws=XrayPatches(image_size=size, follow=self._follow, sizes=sizes),
            shape=((size // PATCH) ** 2, PATCH**2),
            position="learned",
            map_of="subject",
            epochs=self._epochs or _EPOCHS["pixels"],
        )


_NOTES = (
    "No value of the paper is shown: none is available.",
    "The validation subjects choose the epoch; the test subjects choose nothing.",
    "Token AUROC: of each test subject, mean; in design B of the population map, the mean "
    "importance over the training subjects, by which all subjects are pruned there.",
    "Precision, recall and Jaccard index count the tokens of all test subjects together.",
    "Where a threshold prunes nothing, 'pruned and retrained' is a second training on all tokens: "
    "its difference from the first is chance.",
)


def _check_belongs(
    design: DesignName, noises: Sequence[float] | None, image_size: int | None
) -> None:
    """Refuse a setting that the design does not read."""
    if design == "pixels" and noises is not None:
        raise ConfigError("noises are of designs A and B; the pixel design has its scanner's noise")
    if design != "pixels" and image_size is not None:
        raise ConfigError(f"image_size is of design=pixels, not of design={design}")


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and count < 1:
            raise ConfigError(f"{name} must be 1 or more, not {count}")


def _check_subjects(subjects: Sequence[int] | None) -> None:
    if subjects is not None and min(subjects) < 2:
        raise ConfigError(
            "subjects are the training, validation and test subjects, 2 or more each, not "
            f"{list(subjects)}"
        )


def _check_increasing(name: str, values: Sequence[float]) -> None:
    """Refuse what is no increasing list of numbers from 0 on."""
    rising = all(low < high for low, high in pairwise(values))
    if not values or values[0] < 0 or values[-1] == math.inf or not rising:
        raise ConfigError(f"{name} must be increasing numbers from 0 on, not {list(values)}")


def _check_rates(lr: float, weight_decay: float) -> None:
    if not 0 < lr < math.inf:
        raise ConfigError(f"lr must be a positive number, not {lr!r}")
    if not 0 <= weight_decay < math.inf:
        raise ConfigError(f"weight_decay must be a number from 0 on, not {weight_decay!r}")
