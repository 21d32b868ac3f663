"""Features of a frozen trunk on one scale, learnt from the training subjects' slices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from survkit.errors import DataError
from survkit.flow import ModalityInput


class FeatureScale(nn.Module):
    """Standardises each feature: mean 0 and SD 1 over the real slices of training subjects.

    The features of a frozen network share a large offset, against which patients differ by a few
    per cent; a linear layer finds that slowly. A feature that is constant there becomes 0.

    Args:
        features: How many.
    """

    fitted: Tensor
    mean: Tensor
    factor: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("factor", torch.ones(features))  # one over the SD
        self.register_buffer("fitted", torch.zeros((), dtype=torch.bool))
        self._is_fitted = False

    def fit(self, batches: Iterable[ModalityInput]) -> None:
        """Learn mean and SD from features (batch, slice, feature), or those of view 0."""
        count = torch.zeros((), dtype=torch.float64)
        total = torch.zeros_like(self.mean, dtype=torch.float64)
        square, shift = torch.zeros_like(total), None
        for batch in batches:
            values = batch.values if batch.values.ndim == 3 else batch.values[:, :, 0]
            rows = values.flatten(0, 1) if batch.token_mask is None else values[batch.token_mask]
            rows = rows.double()
            # sums around the first batch's mean: a large offset would eat the digits of squares
            shift = rows.mean(dim=0) if shift is None else shift
            count += len(rows)
            total += (rows - shift).sum(dim=0)
            square += (rows - shift).square().sum(dim=0)
        if shift is None or count == 0:
            raise DataError("features cannot be standardised: no training subject has a slice")
        centre = total / count
        sd = (square / count - centre.square()).clamp(min=0).sqrt()
        constant = sd <= 1e-6 * (shift + centre).abs()
        self.mean.copy_(shift + centre)
        self.factor.copy_(torch.where(constant, 0.0, 1 / sd))
        self.fitted.fill_(True)
        self._is_fitted = True

    def forward(self, features: Tensor) -> Tensor:
        """Return features, any shape before the last axis, on the scale.

        Raises:
            DataError: The scale is still to be learnt.
        """
        if not self._is_fitted:
            raise DataError(
                "the scale of the features is not known yet: call fit_batches with training "
                "subjects, or load fitted weights"
            )
        return (features - self.mean) * self.factor

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *rest)
        stored = state_dict.get(f"{prefix}fitted")
        if stored is not None:
            self._is_fitted = bool(stored)
