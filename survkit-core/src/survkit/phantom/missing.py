"""Which subjects lack which modality, completely at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from survkit.phantom.streams import stream
from survkit.phantom.truth import CARRIES


def draw_presence(
    seed: int, subjects: int, modalities: Sequence[str], rates: Mapping[str, float]
) -> dict[str, NDArray[np.bool_]]:
    """Return by modality who has it, bool (subject); ``rates`` says the share of subjects that lack
    it.
    """
    names = tuple(
        CARRIES
    )  # one draw per known modality, so that adding one leaves the others as they were
    draws = np.stack(
        [stream(seed, "missing", subject).random(len(names)) for subject in range(subjects)]
    )
    return {name: draws[:, names.index(name)] >= rates.get(name, 0.0) for name in modalities}
