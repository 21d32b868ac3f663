"""One subject's volume and what a model made of it, as they are drawn and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from survkit.explaining.subject_view import Course, SubjectView
from survkit.explaining.token_grid import Axes

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
        told = _WITHOUT_ATTENTION if self.tokens is None else self.tokens.to_json()
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
                "rows": [{"name": row.name, "kind": row.kind, **row.numbers} for row in self.rows],
            },
        }


_WITHOUT_ATTENTION: Mapping[str, Any] = {
    "grid": None,
    "tokens": 0,
    "weights": [],
    "effective_tokens": None,
    "top_share": None,
    "top_uniform": None,
    "top": [],
}
