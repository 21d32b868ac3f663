"""One subject's picture and where a model looked in it, as they are drawn and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.explaining.image_grid import Floats
from survkit.explaining.subject_view import Course, SubjectView
from survkit.explaining.volume_view import WITHOUT_ATTENTION
from survkit.explaining.weights_randomised import is_flat
from survkit.report.numbers import shown as number


@dataclass(frozen=True, slots=True)
class Randomised:
    """A map after part of the encoder's weights became noise.

    Attributes:
        share: Of the parameter tensors, counted from the last.
        weight: The map of the first order that was tried, (row, column).
        correlation: Spearman's, to the map of the trained weights, mean over the orders; ``None``
            where one of both maps is the same everywhere, whatever the order.
    """

    share: float
    weight: Floats
    correlation: float | None


@dataclass(frozen=True, slots=True)
class ShownMap:
    """Where a model looked in a picture.

    Attributes:
        name: Which of the maps that the encoder gives.
        weight: float64 (row, column), sums to one; cells tile the picture.
        mass: Of it within the mask; ``None`` without a mask.
        randomised: What is left of it, step by step; empty for an encoder of no weights.
    """

    name: str
    weight: Floats
    mass: float | None
    randomised: tuple[Randomised, ...] = ()

    @property
    def relative(self) -> Floats:
        """The map as a multiple of equal weights."""
        return self.weight * self.weight.size

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.weight.shape
        return rows, columns


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageView:
    """A subject's picture with where a model looked in it.

    Attributes:
        subject: Its name.
        why: Why it is shown.
        modality: Name of the encoder.
        picture: As the cohort's reader gives it, float32 (channel, y, x).
        mask: The region of interest, bool (y, x), where the cohort names one that is not empty.
        maps: One or more.
        members: Networks of the model; maps are their mean.
        tokens: The attention over tokens, where the model attends and no map says the same.
        course: What was predicted and what happened.
    """

    subject: str
    why: str
    modality: str
    picture: NDArray[np.float32]
    mask: NDArray[np.bool_] | None
    maps: tuple[ShownMap, ...]
    members: int
    tokens: SubjectView | None
    course: Course

    @property
    def area(self) -> float | None:
        """The mask's share of the picture, which is what equal weights put on it."""
        return None if self.mask is None else float(self.mask.mean())

    def words(self, shown: ShownMap) -> str:
        """Say what a map shows, with its numbers."""
        if is_flat(shown.weight):
            said = f"{shown.name}: the same everywhere"
        else:
            highest = number(float(shown.relative.max()), "short")
            said = f"{shown.name}: up to {highest} × equal"
        if shown.mass is None or not self.area:
            return said
        return (
            f"{said}; {shown.mass:.1%} in the region, {self.area:.1%} of the picture, ratio "
            f"{shown.mass / self.area:.2f}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return what ``explain.json`` says of it."""
        told: Mapping[str, Any] = WITHOUT_ATTENTION
        if self.tokens is not None:
            told = self.tokens.to_json()
        return {
            **told,
            "modality": self.modality,
            "kind": "image",
            "without_images": None,
            "image": {
                "shape": list(self.picture.shape),
                "members": self.members,
                "area_of_mask": self.area,
                "told": [self.words(one) for one in self.maps],
                "maps": [self._map(one) for one in self.maps],
            },
        }

    def _map(self, shown: ShownMap) -> dict[str, Any]:
        inside = None if shown.mass is None or not self.area else shown.mass / self.area
        return {
            "name": shown.name,
            "grid": list(shown.grid),
            "weights": shown.weight.ravel().tolist(),
            "highest": float(shown.relative.max()),
            "inside_mask": shown.mass,
            "area_of_mask": self.area,
            "ratio": inside,
            "randomised": [
                {"share": step.share, "correlation": step.correlation} for step in shown.randomised
            ],
        }
