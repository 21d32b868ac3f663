"""One subject's volume and what a model made of it, as they are drawn and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from survkit.explaining.subject_view import Course, SubjectView
from survkit.explaining.token_grid import Axes
from survkit.report.numbers import shown

RowKind = Literal["intensity", "difference", "label", "attention"]


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A volume of which three slices are drawn in a row.

    Attributes:
        name: What it is.
        kind: How it is drawn. Attention is given as a multiple of equal weights.
        values: On the input's grid (z, y, x).
        numbers: What is told of it, for the page and ``explain.json``.
    """

    name: str
    kind: RowKind
    values: NDArray[Any]
    numbers: Mapping[str, float | None] = field(default_factory=dict)

    def words(self) -> str:
        """Say what the row shows, with its numbers."""
        if self.kind == "difference":
            return f"{self.name}: {_error(self.numbers)}"
        if self.kind == "label":
            return f"{self.name} used here: {_labels(self.numbers)}"
        if self.kind == "attention":
            return f"{self.name}: {_attention(self.numbers)}"
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """A subject that is shown.

    Attributes:
        subject: Its name.
        why: Why it is shown.
        course: What was predicted and what happened.
    """

    subject: str
    why: str
    course: Course


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeView:
    """A subject's volume with what a model made of it.

    Attributes:
        subject: Its name.
        why: Why it is shown.
        modality: Name of the modality.
        rows: The input first.
        spacing: Voxel size along z, y, x in mm; ``None`` where it is not known.
        mask: The region of interest, bool (z, y, x), where the cohort names one.
        centre: The voxel through which the slices go.
        centre_is: Why that one.
        members: Networks of the model; volumes are of the first, attention is the mean.
        tokens: The attention over tokens, where the model attends.
        course: What was predicted and what happened.
    """

    subject: str
    why: str
    modality: str
    rows: tuple[ShownRow, ...]
    spacing: tuple[float, float, float] | None
    mask: NDArray[np.bool_] | None
    centre: Axes
    centre_is: str
    members: int
    tokens: SubjectView | None
    course: Course

    def to_json(self) -> dict[str, Any]:
        """Return what ``explain.json`` says of it."""
        told = WITHOUT_ATTENTION if self.tokens is None else self.tokens.to_json()
        return {
            **told,
            "modality": self.modality,
            "kind": "volume",
            "without_images": None,
            "volume": {
                "shape": list(self.rows[0].values.shape),
                "spacing": None if self.spacing is None else list(self.spacing),
                "centre": list(self.centre),
                "centre_is": self.centre_is,
                "members": self.members,
                "told": [row.words() for row in self.rows if row.numbers],
                "rows": [{"name": row.name, "kind": row.kind, **row.numbers} for row in self.rows],
            },
        }


WITHOUT_ATTENTION: Mapping[str, Any] = {
    "grid": None,
    "tokens": 0,
    "weights": [],
    "effective_tokens": None,
    "top_share": None,
    "top_uniform": None,
    "top": [],
}
"""What is told of the tokens of a model that attends over none."""


def _error(told: Mapping[str, float | None]) -> str:
    error, ratio = told["mean_squared_error"], told["peak_signal_to_noise_ratio"]
    if not error:
        return "none, they are equal"
    said = f"up to ±{told['largest']:.2g}, MSE {shown(error, 'short')}"
    inside = told.get("mean_squared_error_in_mask")
    if inside is not None:
        said += f" ({shown(inside, 'short')} in the region)"
    return said if ratio is None else f"{said}, PSNR {ratio:.1f} dB"


def _labels(told: Mapping[str, float | None]) -> str:
    used, count = told["labels_used"], told["labels"]
    of = "" if count is None else f" of {count:g}"
    return f"{used:g}{of}; the most frequent covers {told['most_frequent_share']:.0%}"


def _attention(told: Mapping[str, float | None]) -> str:
    if told.get("blocks") == 1:
        return "one block alone, which takes all of it"
    said = f"up to {told['highest']:.1f} × equal"
    if told.get("inside_mask") is None:
        return said
    return (
        f"{said}; {told['inside_mask']:.1%} in the region, {told['volume_of_mask']:.1%} of the "
        "volume"
    )
