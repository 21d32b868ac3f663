"""One subject and one modality, as they are drawn and told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.report.attention_profile import no_slices, over_slices, top_mass
from survkit.report.numbers import shown

Floats = NDArray[np.float64]
Images = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What was predicted for a subject, and what happened.

    Attributes:
        times: float64 (grid).
        incidence: float64 (cause, grid).
        causes: Their names.
        unit: Of the times.
        horizon: The time up to which statements are made.
        duration: Time to event or censoring, where known.
        event: 0 for censored, k for cause k, where known.
    """

    times: Floats
    incidence: Floats
    causes: tuple[str, ...]
    unit: str
    horizon: float
    duration: float | None = None
    event: int | None = None

    def observed(self) -> str:
        """Say what happened."""
        if self.duration is None or self.event is None:
            return "outcome not read"
        what = self.causes[self.event - 1] if self.event else "censored"
        return f"{what} at {shown(self.duration, 'short')} {self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectView:
    """A subject's attention over the tokens of a modality.

    Attributes:
        subject: Its name.
        why: Why it is shown.
        modality: Name of the modality.
        kind: Kind of its input.
        grid: Axes of the grid of the tokens, where they lie on one.
        weight: float64 (token), sums to one.
        top: Tokens with most attention, falling.
        images: Of each token, float32 (token, y, x); ``None`` where there are none.
        without_images: Why there are none.
        mask_share: Share of each token inside the region of interest, where it is known.
        course: What was predicted and what happened.
    """

    subject: str
    why: str
    modality: str
    kind: str
    grid: tuple[int, ...] | None
    weight: Floats
    top: tuple[int, ...]
    images: Images | None
    without_images: str
    mask_share: NDArray[np.float32] | None
    course: Course

    @property
    def sliced(self) -> bool:
        """Whether the tokens are slices of a volume, or blocks that add up to some."""
        return no_slices(self.kind, self.grid) is None

    @property
    def unit(self) -> str:
        """What a token is."""
        return "slice" if self.kind == "volume" and len(self.grid or (0,)) == 1 else "block"

    def slices(self) -> Floats:
        """Return the weights over slices."""
        return over_slices(self.weight, self.grid)

    def times_uniform(self, token: int) -> float:
        """Return a token's weight as a multiple of what equal weights give."""
        return float(self.weight[token] * len(self.weight))

    def position(self, token: int) -> float | None:
        """Return the relative position of a token; ``None`` of one that is alone."""
        return token / (len(self.weight) - 1) if len(self.weight) > 1 else None

    def place(self, token: int) -> str:
        """Say where a token lies, counted from 1."""
        if self.unit == "slice" or self.grid is None:
            return f"{self.unit} {token + 1} of {len(self.weight)}"
        places = np.unravel_index(token, self.grid)
        return f"{self.unit} ({', '.join(str(int(place) + 1) for place in places)})"

    def to_json(self) -> dict[str, Any]:
        """Return what ``explain.json`` says of it."""
        share = self.mask_share
        top, equal = top_mass(self.weight)
        nonzero = self.weight[self.weight > 0]
        return {
            "modality": self.modality,
            "kind": self.kind,
            "grid": None if self.grid is None else list(self.grid),
            "tokens": len(self.weight),
            "weights": self.weight.tolist(),
            "effective_tokens": float(np.exp(-(nonzero * np.log(nonzero)).sum())),
            "top_share": top,
            "top_uniform": equal,
            "top": [
                {
                    "token": token,
                    "position": self.position(token),
                    "weight": float(self.weight[token]),
                    "times_uniform": self.times_uniform(token),
                    "mask_share": None if share is None else float(share[token]),
                }
                for token in self.top
            ],
            "without_images": self.without_images or None,
        }
