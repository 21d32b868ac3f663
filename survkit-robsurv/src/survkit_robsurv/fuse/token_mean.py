"""The discrete path without attention: what remains if patch-wise fusion is taken out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from survkit_robsurv.fuse.patch_fuse import Discrete


class TokenMean(nn.Module):
    """The plain mean of each modality's tokens under a linear layer, then the mean over modalities.

    Args:
        dims: Width of the tokens of the first and the second modality.
        dim: Common width.
    """

    def __init__(self, dims: tuple[int, int], *, dim: int) -> None:
        super().__init__()
        self.project = nn.ModuleList(nn.Linear(each, dim) for each in dims)

    def forward(self, tokens: Sequence[Tensor], used: Tensor) -> Discrete:
        """Average; arguments as of :class:`survkit_robsurv.fuse.patch_fuse.PatchFuse`. The result
        is fused into one "patch".
        """
        first, second = (
            layer(each.mean(1)) for layer, each in zip(self.project, tokens, strict=True)
        )
        alone = torch.where(used[:, :1], first, second)
        fused = torch.where(used.all(dim=1)[:, None], (first + second) / 2, alone)
        return Discrete(fused=fused[:, None], modality=(first, second))
