"""One transformer over patches of images and over other modalities, which also draws (TMSS)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError
from survkit.flow import Encoding, Fused
from survkit.fusions.modalities import presence, where_present
from survkit.fusions.token_attention import AttentionBlock
from survkit.specs import EncodingSpec
from survkit_robsurv.check_rates import check_rates
from survkit_robsurv.compared.co_registered import TARGET, LearnsToDraw, co_registered
from survkit_robsurv.compared.patch_decoder import PatchDecoder
from survkit_robsurv.compared.segmentation_loss import (
    VoxelLoss,
    check_voxel_loss,
    segmentation_penalty,
)


class PatchTransformer(LearnsToDraw, nn.Module):
    """A vision transformer whose tokens are patches of the images and the other modalities.

    The patches of all volumes at one place are one token, by a linear map of their voxels (zeros
    for a volume that a subject lacks) and a learned position; every other modality is a token, by a
    linear map of its summary. Tokens of a subject without any image, or without that modality, are
    masked. The embedding is the mean of the real tokens of the last layer.

    Where there is a mask to learn from, a convolutional decoder draws it from the patches' tokens
    of some layers and from the images; the penalty ``segmentation`` is its Dice and focal loss
    against ``target``, 0 for who has no mask. The mask and the decoder serve that alone: no
    prediction depends on them, and at inference the mask may be absent. Without the mask's modality
    there is no decoder.

    Args:
        encodings: What the encoders give; volumes by ``robsurv/voxels``, whose patches these are.
        target: Modality with the mask (0 is the background); ``null`` where there is none, which
            must be said where several volumes are read.
        dim: Width of the tokens, a multiple of ``heads``.
        layers: Transformer layers.
        heads: Attention heads.
        feed_forward: Width within the feed-forward part.
        dropout: Dropout rate within the layers.
        decoder_channels: Width of the decoder's finest level, doubled with every coarser one.
        voxel_loss: Added to the Dice loss: ``none``, ``cross-entropy`` or ``focal``.

    Raises:
        CompositionError: No volumes, a mask that is not named, different grids, or
            patches that are no power of 2 although there is a mask to draw.
        ConfigError: Heads that do not divide the width, or fewer layers than the decoder reads.

    Reference: Saeed, Sobirov, Al Majzoub, Yaqub (2022), TMSS, MICCAI, arXiv 2209.05036. The sizes
    of the transformer are those of ViT-B (Dosovitskiy et al. 2021, ICLR), the decoder is that of
    UNETR (Hatamizadeh et al. 2022, WACV).
    """

    def __init__(
        self,
        encodings: Mapping[str, EncodingSpec],
        *,
        target: str | None = TARGET,
        dim: int = 768,
        layers: int = 12,
        heads: int = 12,
        feed_forward: int = 3072,
        dropout: float = 0.1,
        decoder_channels: int = 16,
        voxel_loss: VoxelLoss = "focal",
    ) -> None:
        super().__init__()
        self.inputs = co_registered(encodings, target=target)
        check_voxel_loss(voxel_loss)
        check_rates(dropout=dropout)
        if min(dim, layers, heads, feed_forward) < 1 or dim % heads:
            raise ConfigError(
                "PatchTransformer needs at least one layer, a dim that is a multiple of the heads "
                f"and a feed_forward of 1 or more, not layers={layers}, dim={dim}, heads={heads}, "
                f"feed_forward={feed_forward}"
            )
        self.voxel_loss, self._dim = voxel_loss, dim
        voxels, images = self.inputs.voxels, len(self.inputs.images)
        self.patches = nn.Linear(images * voxels.dim, dim)
        self.positions = nn.Parameter(torch.randn(voxels.tokens or 1, dim) * 0.02)
        self.vectors = nn.ModuleList(
            nn.Linear(width, dim) for width in self.inputs.vectors.values()
        )
        self.layers = nn.ModuleList(
            AttentionBlock(dim, heads=heads, feed_forward=feed_forward, dropout=dropout)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(dim)
        self.decoder: PatchDecoder | None = None
        if self.inputs.target is not None:
            self.decoder = PatchDecoder(images, voxels, dim, layers, decoder_channels)

    @property
    def dim(self) -> int:
        """Width of the tokens."""
        return self._dim

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Attend and draw; refuses other modalities than it was built for."""
        with_image = self.inputs.with_image(encodings)
        tokens, real = self._tokens(encodings, with_image)
        taken = []
        # A subject without any real token looks at all, so that nothing becomes NaN.
        seen = real | ~real.any(dim=1, keepdim=True)
        for layer in self.layers:
            tokens = torch.where(real[:, :, None], layer(tokens, seen), 0)
            taken.append(tokens)
        weight = real.to(tokens.dtype)[:, :, None]
        total = (self.norm(tokens) * weight).sum(dim=1)
        return Fused(
            embedding=total / weight.sum(dim=1).clamp(min=1),
            penalties=self._penalties(encodings, taken, with_image),
        )

    def _tokens(
        self, encodings: Mapping[str, Encoding], with_image: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the tokens (batch, token, dim), patches first, and which of them are real."""
        cubes = [
            where_present(encodings[name].tokens, encodings[name].present)
            for name in self.inputs.images
        ]
        patches = self.patches(torch.cat(cubes, dim=2)) + self.positions
        real = [with_image[:, None].expand(-1, patches.shape[1])]
        vectors = [
            layer(vector)[:, None]
            for layer, vector in zip(self.vectors, self.inputs.side_by_side(encodings), strict=True)
        ]
        if vectors:
            real.append(presence(self.inputs.vectors, encodings))
        return torch.cat([patches, *vectors], dim=1), torch.cat(real, dim=1)

    def _penalties(
        self, encodings: Mapping[str, Encoding], taken: list[Tensor], with_image: Tensor
    ) -> dict[str, Tensor]:
        if self.decoder is None or self.inputs.target is None:
            return {}
        counts = with_image & encodings[self.inputs.target].present
        nothing_learnt = not torch.is_grad_enabled() and not torch.compiler.is_compiling()
        if nothing_learnt and not bool(counts.any()):  # masks are not to be had: leave the decoder
            wide = torch.promote_types(taken[-1].dtype, torch.float32)
            return {"segmentation": taken[-1].new_zeros(len(counts), dtype=wide)}
        penalty = segmentation_penalty(
            self.decoder(self.inputs.stacked(encodings), taken),
            self.inputs.mask(encodings),
            counts,
            labels=None,
            voxel=self.voxel_loss,
        )
        return {"segmentation": penalty}
