"""The Medical Slice Transformer: a vision transformer per slice, a transformer over the slices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
from torch import nn

from survkit.errors import ConfigError
from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec
from survkit_slicetention.pixel_statistics import PixelStatistics
from survkit_slicetention.preparation.axis_resampling import Interpolation
from survkit_slicetention.preparation.intensity import Intensity
from survkit_slicetention.preparation.lung_provider import LungProvider
from survkit_slicetention.preparation.slice_stack import StackSettings
from survkit_slicetention.reads_slices import ReadsSlices
from survkit_slicetention.slice_reader import SliceReader, check_ct
from survkit_slicetention.stored_views import Augmentation
from survkit_slicetention.token_transformer import Positions, TokenTransformer
from survkit_slicetention.trunk.freezing import Freeze, Stem
from survkit_slicetention.trunk.slice_trunk import TrunkSettings


class SliceTransformerEncoder(ReadsSlices):
    """Encodes a chest CT by a network per slice and a transformer with a class token over them.

    Slices, trunk and caching are those of :class:`survkit_slicetention.slices.SlicesEncoder`, and
    so are the settings not named here. The summary is the class token, projected; the tokens are
    the slices after the transformer, their projection (the same layer) pending;
    ``attention_weights`` are those of the class token over the slices. What ``freeze`` says is said
    of the backbone: the transformer over the slices starts from nothing and always trains.

    Args:
        input: The CT; one channel.
        backbone: Network per slice; a vision transformer is built for ``size``.
        heads: Of the transformer over the slices; they must divide the backbone's width.
        layers: Of the transformer over the slices.
        feed_forward: Width within its feed-forward part; four times the backbone's where null.
        attention_dropout: Within its layers.
        positions: Whether it is told the place of a slice.

    Raises:
        CompositionError: Not one CT per subject, or settings that contradict each other.
        ConfigError: No such backbone, or a setting out of range.

    Reference: Mueller-Franzes et al. (2025), Medical slice transformer for improved diagnosis and
        explainability on 3D medical images with DINOv2, Scientific Reports 15. Width and depth of
        its transformer over slices are not taken from there: they are settings, one layer of 8
        heads by default.
    """

    def __init__(
        self,
        input: InputSpec,
        *,
        backbone: str = "vit_small_patch14_dinov2",
        weights: str | None = "pretrained",
        weights_seed: int = 0,
        dim: int = 256,
        freeze: Freeze = "last",
        stem: Stem = "trainable",
        heads: int = 8,
        layers: int = 1,
        feed_forward: int | None = None,
        attention_dropout: float = 0.0,
        positions: Positions = "sinusoidal",
        spacing: tuple[float, float, float] = (3.0, 1.0, 1.0),
        size: int = 224,
        lung_mask: LungProvider = "threshold",
        least_lung: float = 0.02,
        interpolation: Interpolation = "bspline",
        intensity: Intensity = "clip_zscore",
        statistics: Literal["train"] | tuple[float, float] = "train",
        rate: float = 0.2,
        degrees: float = 20.0,
        flip: float = 0.5,
        views: int = 0,
        chunk: int = 8,
    ) -> None:
        super().__init__()
        check_ct(input, "slice-transformer")
        if dim < 1:
            raise ConfigError(f"dim must be positive, not {dim}")
        stack = StackSettings(
            spacing=spacing,
            size=size,
            lung_mask=lung_mask,
            least_lung=least_lung,
            interpolation=interpolation,
        )
        trunk = TrunkSettings(
            backbone=backbone,
            weights=weights,
            weights_seed=weights_seed,
            size=size,
            freeze=freeze,
            stem=stem,
            chunk=chunk,
        )
        augmentation = Augmentation(rate=rate, degrees=degrees, flip=flip, views=views)
        pixels = PixelStatistics(intensity, statistics)
        self.reader = SliceReader(stack, trunk, pixels, augmentation)
        width = self.reader.trunk.features
        self.transformer = TokenTransformer(
            width,
            heads=heads,
            layers=layers,
            feed_forward=feed_forward or 4 * width,
            dropout=attention_dropout,
            positions=positions,
        )
        self.project = nn.Linear(width, dim)
        self._encoding = EncodingSpec(dim=dim, tokens=None)

    @property
    def encoding(self) -> EncodingSpec:
        """As many tokens as there are slices."""
        return self._encoding

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the slices; ``penalties`` changes nothing, there are none."""
        features, mask = self.reader(input)
        every = features.new_ones(features.shape[:2], dtype=torch.bool)
        summary, tokens, weights = self.transformer(features, every if mask is None else mask)
        return Encoding(
            tokens=tokens,
            summary=self.project(summary),
            present=input.present,
            token_mask=mask,
            attention_weights=weights,
            projection=self.project,
        )

    def fit_batches(self, batches: Iterable[ModalityInput]) -> None:
        """Learn mean and SD of the training subjects' pixels, where ``statistics`` says so."""
        self.reader.fit_batches(batches)
