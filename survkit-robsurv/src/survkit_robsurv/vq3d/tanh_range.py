"""Volumes that a tanh can reconstruct: their range, and the mean to start from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import ModalityInput

SLACK = 1e-3
"""How far outside [-1, 1] the rounding of a window may put a value."""


class TanhRange:
    """Looks at batches while they are read, and refuses at the end what is not in [-1, 1].

    Args:
        batches: Present training subjects.

    Raises:
        DataError: The range that was found, once the last batch was read.
    """

    def __init__(self, batches: Iterable[ModalityInput]) -> None:
        self._batches = batches
        self._sum: Tensor | None = None
        self._subjects = 0

    def __iter__(self) -> Iterator[ModalityInput]:
        low, high = 0.0, 0.0
        for batch in self._batches:
            low = min(low, float(batch.values.min()))
            high = max(high, float(batch.values.max()))
            for volume in batch.values:  # one by one: the same however the batches are cut
                mean = volume.double().flatten(1).mean(dim=1)
                self._sum = mean if self._sum is None else self._sum + mean
                self._subjects += 1
            yield batch
        if low < -1 - SLACK or high > 1 + SLACK:
            raise DataError(
                "vq3d reconstructs the volume by a tanh, so its values must be in [-1, 1], but "
                f"those of the training subjects go from {low:g} to {high:g}; give the modality a "
                "window in the cohort file (window: [lowest, highest], which is mapped to -1 and "
                "1), or set reconstruct: false"
            )

    def start(self) -> Tensor | None:
        """Return what the tanh makes the mean of (channel), float64; ``None`` if nothing was read.

        An end of the range itself, which no number reaches, is replaced by its neighbour.
        """
        if self._sum is None:
            return None
        near = 1 - SLACK
        return torch.atanh((self._sum / self._subjects).clamp(-near, near))
