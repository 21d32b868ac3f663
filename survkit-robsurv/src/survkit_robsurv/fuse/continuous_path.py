"""The continuous path: the unquantized encodings of both modalities under one block attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError
from survkit_robsurv.fuse.cbam import CBAM

Pooling = Literal["avg", "avg+max"]


class ContinuousPath(nn.Module):
    """Channels of both modalities side by side, CBAM, a 1 x 1 x 1 convolution, a global pool.

    So channel attention compares the modalities. In the place of an absent modality stands a
    learned vector, zeros at first, the same at every place. The average pool comes before the
    convolution, with which it commutes.

    Args:
        dims: Width of the tokens of the first and the second modality.
        grid: Tokens along z, y, x.
        dim: Width of the result.
        reduction: As in :class:`survkit_robsurv.fuse.cbam.CBAM`.
        kernel: As there.
        pooling: ``avg``; or ``avg+max``, the sum of the average and the maximum.

    Raises:
        ConfigError: A setting out of range.

    Reference: Farooq et al. (2025), RobSurv, arXiv 2505.02529, which does not say how the
        modalities meet here.
    """

    def __init__(
        self,
        dims: tuple[int, int],
        grid: tuple[int, int, int],
        *,
        dim: int,
        reduction: int,
        kernel: int,
        pooling: Pooling,
    ) -> None:
        super().__init__()
        if pooling not in ("avg", "avg+max"):
            raise ConfigError(f"pooling must be avg or avg+max, not {pooling!r}")
        self.pooling = pooling
        self.absent = nn.ParameterList(torch.zeros(each) for each in dims)
        self.cbam = CBAM(sum(dims), grid, reduction=reduction, kernel=kernel)
        self.project = nn.Linear(sum(dims), dim)

    def forward(self, tokens: Sequence[Tensor], used: Tensor) -> Tensor:
        """Return the pooled vector (batch, dim).

        Args:
            tokens: Of the first and the second modality; each (batch, token, dim of it).
            used: Which modalities count; bool (batch, 2).
        """
        filled = [
            torch.where(used[:, column, None, None], each, vector.to(each.dtype))
            for column, (each, vector) in enumerate(zip(tokens, self.absent, strict=True))
        ]
        weighed = self.cbam(torch.cat(filled, dim=2))
        if self.pooling == "avg":
            mean: Tensor = self.project(weighed.mean(1))
            return mean
        projected: Tensor = self.project(weighed)
        return projected.mean(1) + projected.amax(1)
