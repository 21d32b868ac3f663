"""Volumes that a tanh can reconstruct."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from survkit.errors import DataError
from survkit.flow import ModalityInput

SLACK = 1e-3
"""How far outside [-1, 1] the rounding of a window may put a value."""


def checked_range(batches: Iterable[ModalityInput]) -> Iterator[ModalityInput]:
    """Yield the batches, and refuse at the end where values are not in [-1, 1].

    Raises:
        DataError: The range that was found.
    """
    low, high = 0.0, 0.0
    for batch in batches:
        low = min(low, float(batch.values.min()))
        high = max(high, float(batch.values.max()))
        yield batch
    if low < -1 - SLACK or high > 1 + SLACK:
        raise DataError(
            "vq3d reconstructs the volume by a tanh, so its values must be in [-1, 1], but those "
            f"of the training subjects go from {low:g} to {high:g}; give the modality a window in "
            "the cohort file (window: [lowest, highest], which is mapped to -1 and 1), or set "
            "reconstruct: false"
        )
