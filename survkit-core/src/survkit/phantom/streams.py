"""Random streams that make subject i the same whatever the number, order or workers of the
others.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

Purpose = Literal[
    "factors",
    "place",
    "event",
    "censoring",
    "site",
    "clinical",
    "missing",
    "ct",
    "pet",
    "cxr",
    "scanner",
]

_KEYS: dict[Purpose, int] = {
    "factors": 0,
    "place": 1,
    "event": 2,
    "censoring": 3,
    "site": 4,
    "clinical": 5,
    "missing": 6,
    "ct": 7,
    "pet": 8,
    "cxr": 9,
    "scanner": 10,
}
"""Never renumber: a seed promises the same cohort in every release."""


def stream(seed: int, purpose: Purpose, index: int) -> np.random.Generator:
    """Return the generator of one purpose of one subject (or of one site, for ``"scanner"``).

    Each purpose has its own stream, so that asking for larger images, say, leaves the outcomes as
    they were.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_KEYS[purpose], index)))
