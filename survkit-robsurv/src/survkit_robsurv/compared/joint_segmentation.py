"""Survival read from a network that learns to draw the tumour (DeepMTS)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError
from survkit.flow import Encoding, Fused
from survkit.fusions.modalities import where_present
from survkit.specs import EncodingSpec
from survkit_robsurv.compared.co_registered import TARGET, LearnsToDraw, co_registered
from survkit_robsurv.compared.conv_blocks import (
    PooledFeatures,
    ResidualBlock,
    UpBlock,
    check_channels,
)
from survkit_robsurv.compared.dense_network import DenseNetwork
from survkit_robsurv.compared.segmentation_loss import (
    VoxelLoss,
    check_voxel_loss,
    segmentation_penalty,
)


class JointSegmentation(LearnsToDraw, nn.Module):
    """A U-Net that draws the tumour, and a dense network that reads the images and the drawing.

    The volumes are the channels of one image. The U-Net is shared by both tasks; its probability of
    tumour goes, beside the images, into a cascaded dense network. The embedding is what is pooled
    from every level of the U-Net's encoder and from every block of the dense network, then the
    summaries of other modalities, such as a table. A subject without any image has zeros in the
    place of the images' features.

    The penalty ``segmentation`` is the Dice loss of the drawing against ``target``, 0 for who has
    no mask. The mask is read for it alone: no prediction depends on it, and at inference it may be
    absent.

    Args:
        encodings: What the encoders give; volumes by ``robsurv/voxels``, on one grid.
        target: Modality with the mask (0 is the background); ``null`` where there is none, which
            must be said where several volumes are read.
        channels: Width of each level of the U-Net, halved between them.
        dense_layers: Layers of each block of the dense network.
        growth: Channels that each of those layers adds.
        features: Width of what is pooled from each level and block.
        dropout: Dropout rate of the pooled features.
        voxel_loss: Added to the Dice loss: ``none``, ``cross-entropy`` or ``focal``.

    Raises:
        CompositionError: No volumes, a mask that is not named, different grids, or axes
            that cannot be halved so often.

    Reference: Meng, Gu, Bi, Song, Feng, Kim (2022), DeepMTS, IEEE J. Biomed. Health Inform. 26:4497
    (arXiv 2109.07711). Hard sharing, cascade and losses are the paper's; the widths are chosen
    here, and groups are normalised instead of batches.
    """

    def __init__(
        self,
        encodings: Mapping[str, EncodingSpec],
        *,
        target: str | None = TARGET,
        channels: tuple[int, ...] = (16, 32, 64, 128),
        dense_layers: tuple[int, ...] = (4, 8, 16),
        growth: int = 16,
        features: int = 32,
        dropout: float = 0.5,
        voxel_loss: VoxelLoss = "none",
    ) -> None:
        super().__init__()
        self.inputs = co_registered(encodings, target=target)
        check_channels(channels, self.inputs.shape, "JointSegmentation")
        check_voxel_loss(voxel_loss)
        if features < 1:
            raise ConfigError(f"features must be at least 1, not {features}")
        self.voxel_loss = voxel_loss
        images = len(self.inputs.images)
        self.encoder = nn.ModuleList(
            ResidualBlock(before, width) for before, width in pairwise((images, *channels))
        )
        self.pools = nn.ModuleList(PooledFeatures(width, features) for width in channels)
        self.decoder = nn.ModuleList(
            UpBlock(deep, width, width) for deep, width in pairwise(channels[::-1])
        )
        self.draw = nn.Conv3d(channels[0], 1, 1)
        self.cascade = DenseNetwork(
            images + 1, layers=dense_layers, growth=growth, features=features
        )
        self.dropout = nn.Dropout(dropout)
        image_features = features * len(channels) + self.cascade.dim
        self._dim = image_features + sum(self.inputs.vectors.values())

    @property
    def dim(self) -> int:
        """Pooled features of all levels and blocks, and the widths of the other modalities."""
        return self._dim

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Draw and read; refuses other modalities than it was built for."""
        with_image = self.inputs.with_image(encodings)
        image = self.inputs.stacked(encodings)
        pooled, logits = self._drawn(image)
        cascade = self.cascade(torch.cat([image, logits.sigmoid().to(image.dtype)], dim=1))
        features = self.dropout(torch.cat([*pooled, cascade], dim=1))
        features = where_present(features, with_image)
        penalties = {}
        if self.inputs.target is not None:
            penalties["segmentation"] = segmentation_penalty(
                logits,
                self.inputs.mask(encodings),
                with_image & encodings[self.inputs.target].present,
                labels=None,
                voxel=self.voxel_loss,
            )
        return Fused(
            embedding=torch.cat([features, *self.inputs.side_by_side(encodings)], dim=1),
            penalties=penalties,
        )

    def _drawn(self, image: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the pooled features of each level, and the logits of the tumour."""
        levels: list[Tensor] = []
        features = image
        for position, block in enumerate(self.encoder):
            if position:
                features = nn.functional.max_pool3d(features, 2)
            features = block(features)
            levels.append(features)
        pooled = [pool(level) for pool, level in zip(self.pools, levels, strict=True)]
        for block, skip in zip(self.decoder, levels[-2::-1], strict=True):
            features = block(features, skip)
        return pooled, self.draw(features)
