"""Convolutions and attention side by side, within a volume or across volumes (XSurv)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from survkit_robsurv.compared.conv_blocks import ResidualBlock

Look = Literal["self", "cross"]


class HybridParallelBlock(nn.Module):
    """For every volume a residual block of convolutions plus attention, added up.

    Attention looks at the volume's own tokens (``self``) or at those of the other volumes
    (``cross``), within windows of the same place. A volume whose partners a subject lacks looks at
    itself. All volumes have their own weights.

    Args:
        volumes: Number of volumes.
        channels: Width of the feature maps coming in.
        out_channels: Width going out, a multiple of the heads.
        heads: Attention heads.
        window: Edge of a window in positions; smaller maps are one window.
        look: At whom.

    Reference: Meng, Bi, Fulham, Feng, Kim (2023), Merging-diverging hybrid transformer networks,
    MICCAI, arXiv 2307.03427: the hybrid parallel attention blocks. Windows as in Liu et al. (2021),
    Swin transformer, ICCV, but neither shifted nor with position biases: the convolutions beside
    them look across windows and know places.
    """

    def __init__(
        self,
        volumes: int,
        channels: int,
        out_channels: int,
        *,
        heads: int,
        window: int,
        look: Look,
    ) -> None:
        super().__init__()
        self.heads, self.window, self.look = heads, window, look

        def each(make: type[nn.Module], *sizes: int, **settings: bool) -> nn.ModuleList:
            return nn.ModuleList(make(*sizes, **settings) for _ in range(volumes))

        self.convolutions = each(ResidualBlock, channels, out_channels)
        self.enter = each(nn.Linear, channels, out_channels)
        self.norms = each(nn.LayerNorm, out_channels)
        self.query = each(nn.Linear, out_channels, out_channels)
        # Keys have no bias: it would shift all scores of a query alike, which a softmax ignores.
        self.key = each(nn.Linear, out_channels, out_channels, bias=False)
        self.value = each(nn.Linear, out_channels, out_channels)
        self.leave = each(nn.Linear, out_channels, out_channels)
        self.feed_forward = nn.ModuleList(_feed_forward(out_channels) for _ in range(volumes))

    def forward(self, features: list[Tensor], present: Tensor) -> list[Tensor]:
        """Return the feature maps (batch, out_channels, z, y, x) of all volumes.

        Args:
            features: One feature map per volume, (batch, channels, z, y, x).
            present: Who has which volume; bool (batch, volume).
        """
        axes = features[0].shape[2:]
        edges = tuple(min(self.window, axis) for axis in axes)
        tokens = [layer(windows(x, edges)) for layer, x in zip(self.enter, features, strict=True)]
        normed = [norm(each) for norm, each in zip(self.norms, tokens, strict=True)]
        keys, values = (
            torch.stack([layer(x) for layer, x in zip(layers, normed, strict=True)], dim=2)
            for layers in (self.key, self.value)
        )
        results = []
        for own, convolve in enumerate(self.convolutions):
            looked = self._attended(self.query[own](normed[own]), keys, values, own, present)
            attended = tokens[own] + self.leave[own](looked)
            attended = attended + self.feed_forward[own](attended)
            results.append(convolve(features[own]) + from_windows(attended, axes, edges))
        return results

    def _attended(
        self, query: Tensor, keys: Tensor, values: Tensor, own: int, present: Tensor
    ) -> Tensor:
        """Return what the volume sees (batch, window, token, dim).

        Keys and values are (batch, window, volume, token, dim).
        """
        batch, count, tokens, dim = query.shape
        mask = None
        if self.look == "self":
            keys, values = keys[:, :, own], values[:, :, own]
        else:
            seen = seen_volumes(present, own)[:, None, :, None]
            mask = seen.expand(batch, count, -1, tokens).reshape(batch * count, 1, 1, -1)

        def split(x: Tensor) -> Tensor:
            return x.reshape(batch * count, -1, self.heads, dim // self.heads).transpose(1, 2)

        mixed = functional.scaled_dot_product_attention(
            split(query), split(keys), split(values), attn_mask=mask
        )
        return mixed.transpose(1, 2).reshape(batch, count, tokens, dim)


def seen_volumes(present: Tensor, own: int) -> Tensor:
    """Return the volumes that volume ``own`` looks at: the others present, itself where there is
    none; bool (batch, volume).
    """
    itself = torch.arange(present.shape[1], device=present.device) == own
    others = present & ~itself
    return others | (~others.any(dim=1, keepdim=True) & itself)


def windows(features: Tensor, edges: tuple[int, ...]) -> Tensor:
    """Return the windows' tokens (batch, window, token, channel) of (batch, channel, z, y, x)."""
    batch, channels, *axes = features.shape
    z, y, x = (axis // edge for axis, edge in zip(axes, edges, strict=True))
    cut = features.reshape(batch, channels, z, edges[0], y, edges[1], x, edges[2])
    cut = cut.permute(0, 2, 4, 6, 3, 5, 7, 1)
    return cut.reshape(batch, z * y * x, -1, channels)


def from_windows(tokens: Tensor, axes: torch.Size, edges: tuple[int, ...]) -> Tensor:
    """Return the feature map that :func:`windows` cut."""
    batch, channels = len(tokens), tokens.shape[-1]
    z, y, x = (axis // edge for axis, edge in zip(axes, edges, strict=True))
    cut = tokens.reshape(batch, z, y, x, *edges, channels).permute(0, 7, 1, 4, 2, 5, 3, 6)
    return cut.reshape(batch, channels, *axes)


def _feed_forward(dim: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(dim), nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim)
    )
