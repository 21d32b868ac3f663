"""The scale of intensities: fixed, or learnt from the training subjects' pixels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError, DataError
from survkit.flow import ModalityInput
from survkit_slicetention.preparation.intensity import Intensity, PixelMoments, scaled

Statistics = Literal["train"] | tuple[float, float]
"""Mean and SD: of the training part, or these two numbers."""


class PixelStatistics(nn.Module):
    """Scales HU; mean and SD are buffers, so that they are saved with the model.

    They are kept on the host too, so that no device has to be asked in a step.

    Args:
        intensity: The scale, see :mod:`survkit_slicetention.preparation.intensity`.
        statistics: Where mean and SD come from; ``clip_minmax`` needs none.
    """

    moments: Tensor

    def __init__(self, intensity: Intensity, statistics: Statistics) -> None:
        super().__init__()
        if intensity not in get_args(Intensity):
            raise ConfigError(
                f"intensity must be one of {', '.join(get_args(Intensity))}, not {intensity!r}"
            )
        if statistics != "train" and not (len(statistics) == 2 and statistics[1] > 0):
            raise ConfigError(
                f"statistics must be 'train' or mean and SD (above 0) in HU, not {statistics!r}"
            )
        self.intensity = intensity
        self.statistics = statistics
        known = (0.0, 1.0) if intensity == "clip_minmax" else statistics
        self._known = None if isinstance(known, str) else (float(known[0]), float(known[1]))
        self.register_buffer("moments", torch.tensor(self._known or (torch.nan, torch.nan)))

    @property
    def is_fixed(self) -> bool:
        """Whether it is known before any subject is seen."""
        return self.intensity == "clip_minmax" or self.statistics != "train"

    def fit(self, batches: Iterable[ModalityInput]) -> None:
        """Learn mean and SD over the real slices' pixels of training subjects.

        Raises:
            DataError: All pixels are alike.
        """
        seen = PixelMoments()
        for batch in batches:
            slices = batch.values if batch.token_mask is None else batch.values[batch.token_mask]
            seen += PixelMoments.of(slices, self.intensity)
        if not seen.sd > 0:
            raise DataError(
                f"every pixel of the training subjects' slices is {seen.mean:g}; intensities "
                "cannot be standardised"
            )
        self.moments.copy_(torch.tensor([seen.mean, seen.sd]))
        self._known = _pair(self.moments)

    def forward(self, slices: Tensor) -> Tensor:
        """Return slices in HU, any shape, on the scale.

        Raises:
            DataError: Mean and SD are still to be learnt.
        """
        if self._known is None:
            raise DataError(
                "the mean and SD of the training subjects' pixels are not known yet: call "
                "fit_batches with their slices, or load fitted weights"
            )
        return scaled(slices, self.intensity, *self._known)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *rest)
        stored = state_dict.get(f"{prefix}moments")
        if stored is not None and not self.is_fixed:
            pair = _pair(stored)
            self._known = pair if pair[1] > 0 else None


def _pair(moments: Tensor) -> tuple[float, float]:
    mean, sd = moments.detach().cpu().tolist()
    return mean, sd
