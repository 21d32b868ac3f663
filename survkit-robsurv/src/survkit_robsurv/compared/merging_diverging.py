"""Volumes that merge by cross-attention, regions that diverge by gates (XSurv)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from survkit.flow import Encoding, Fused
from survkit.fusions.modalities import presence, where_present
from survkit.specs import EncodingSpec
from survkit_robsurv.compared.co_registered import TARGET, LearnsToDraw, co_registered
from survkit_robsurv.compared.conv_blocks import check_channels
from survkit_robsurv.compared.merging_encoder import MergingEncoder, check_levels
from survkit_robsurv.compared.region_decoder import RegionDecoder
from survkit_robsurv.compared.segmentation_loss import (
    VoxelLoss,
    check_labels,
    check_voxel_loss,
    segmentation_penalty,
)


class MergingDiverging(LearnsToDraw, nn.Module):
    """An encoder that merges the volumes, and one decoder per region of the mask.

    Each volume has a branch of the encoder: first convolutions, then blocks that attend to
    themselves, then blocks that attend to the other volumes. At every level the branches are joined
    to one feature map, zeros for a volume that a subject lacks. Each region's decoder gates these
    maps, draws its region, and gives the means of its feature maps, which are the embedding, before
    the summaries of other modalities, such as a table. A subject without any image has zeros there.

    The penalty ``segmentation`` is Dice and focal loss of the drawn regions against ``target``, 0
    for who has no mask. The mask is read for it alone: no prediction depends on it, and at
    inference it may be absent.

    Args:
        encodings: What the encoders give; volumes by ``robsurv/voxels``, on one grid.
        target: Modality with the mask; ``null`` where there is none, which must be said where
            several volumes are read.
        labels: Value of each region in the mask, such as primary tumour 1 and lymph nodes 2; one
            decoder each.
        channels: Width of each level, halved between them.
        self_levels: Levels, after those of convolutions alone, that attend to themselves.
        cross_levels: Levels, the last ones, that attend to the other volumes.
        heads: Attention heads; they must divide the widths of those levels.
        window: Edge of the windows of attention in positions.
        dropout: Dropout rate of the pooled features.
        voxel_loss: Added to the Dice loss: ``none``, ``cross-entropy`` or ``focal``.

    Raises:
        CompositionError: No volumes, a mask that is not named, different grids, or axes
            that cannot be halved or cut into windows.
        ConfigError: More levels of attention than levels, or heads that do not divide a width.

    Reference: Meng, Bi, Fulham, Feng, Kim (2023), Merging-diverging hybrid transformer networks for
    survival prediction in head and neck cancer (XSurv), MICCAI, arXiv 2307.03427. The numbers of
    levels, 1 of convolutions, 1 and 3 of attention, are those of its figure 1; the widths are
    chosen here.
    """

    def __init__(
        self,
        encodings: Mapping[str, EncodingSpec],
        *,
        target: str | None = TARGET,
        labels: tuple[int, ...] = (1, 2),
        channels: tuple[int, ...] = (16, 32, 64, 128, 256),
        self_levels: int = 1,
        cross_levels: int = 3,
        heads: int = 4,
        window: int = 8,
        dropout: float = 0.5,
        voxel_loss: VoxelLoss = "focal",
    ) -> None:
        super().__init__()
        self.inputs = co_registered(encodings, target=target)
        check_labels(labels)
        check_voxel_loss(voxel_loss)
        check_channels(channels, self.inputs.shape, "MergingDiverging")
        check_levels(channels, self.inputs.shape, self_levels, cross_levels, heads, window)
        self.labels, self.voxel_loss = labels, voxel_loss
        self.encoder = MergingEncoder(
            len(self.inputs.images),
            channels,
            self_levels=self_levels,
            cross_levels=cross_levels,
            heads=heads,
            window=window,
        )
        self.decoders = nn.ModuleList(RegionDecoder(channels) for _ in labels)
        self.draw: nn.ModuleList | None = None
        if self.inputs.target is not None:
            self.draw = nn.ModuleList(nn.Conv3d(channels[0], 1, 1) for _ in labels)
        self.dropout = nn.Dropout(dropout)
        self._dim = len(labels) * sum(channels[:-1]) + sum(self.inputs.vectors.values())

    @property
    def dim(self) -> int:
        """Pooled features of all regions' levels, and the widths of the other modalities."""
        return self._dim

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Merge, diverge and pool; refuses other modalities than it was built for."""
        with_image = self.inputs.with_image(encodings)
        present = presence(self.inputs.images, encodings)
        levels = self.encoder(self.inputs.stacked(encodings), present)
        regions = [decoder(levels) for decoder in self.decoders]
        pooled = [level.mean(dim=(2, 3, 4)) for region in regions for level in region]
        features = where_present(self.dropout(torch.cat(pooled, dim=1)), with_image)
        return Fused(
            embedding=torch.cat([features, *self.inputs.side_by_side(encodings)], dim=1),
            penalties=self._penalties(encodings, [region[-1] for region in regions], with_image),
        )

    def _penalties(
        self, encodings: Mapping[str, Encoding], finest: list[Tensor], with_image: Tensor
    ) -> dict[str, Tensor]:
        if self.draw is None or self.inputs.target is None:
            return {}
        drawn = [draw(features) for draw, features in zip(self.draw, finest, strict=True)]
        penalty = segmentation_penalty(
            torch.cat(drawn, dim=1),
            self.inputs.mask(encodings),
            with_image & encodings[self.inputs.target].present,
            labels=self.labels,
            voxel=self.voxel_loss,
        )
        return {"segmentation": penalty}
