"""The encoder of CT slices: lungs, a stack of slices, a 2-D network, one token per slice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from torch import nn

from survkit.errors import CompositionError, ConfigError
from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec
from survkit_slicetention.feature_scale import FeatureScale
from survkit_slicetention.pixel_statistics import PixelStatistics
from survkit_slicetention.preparation.axis_resampling import Interpolation
from survkit_slicetention.preparation.intensity import Intensity
from survkit_slicetention.preparation.lung_provider import LungProvider
from survkit_slicetention.preparation.slice_stack import StackSettings
from survkit_slicetention.reads_slices import ReadsSlices
from survkit_slicetention.slice_reader import SliceReader, check_ct, masked_mean
from survkit_slicetention.stored_views import Augmentation
from survkit_slicetention.trunk.freezing import Freeze, Stem
from survkit_slicetention.trunk.slice_trunk import TrunkSettings


class SlicesEncoder(ReadsSlices):
    """Encodes a chest CT slice by slice; a token per slice, from the most caudal one upwards.

    Takes a volume in HU of any size, one per subject. Its slices are found once
    (:mod:`survkit_slicetention.preparation.slice_stack`). What happens once per subject and is
    cached, and what in every forward, follows from what trains:

    - ``freeze: last`` with ``stem: frozen``, and intensities on a fixed scale (``clip_minmax``, or
      ``statistics: [mean, sd]``): the whole trunk is run once per subject, for all epochs, folds
      and recipes that share it. Augmentation then draws from ``views`` stored views.
    - else: the slices are cached, and scaled, augmented and encoded in every forward. ``stem:
      trainable``, the default and the paper's choice, costs that.

    The last linear layer is left pending (:attr:`survkit.flow.Encoding.projection`), so that a
    fusion may pool before it. The summary is the mean over real slices, projected.

    Args:
        input: The CT; one channel.
        backbone: 2-D network by its name in timm; ``torchvision:alexnet`` for what timm lacks;
            ``hf-hub:`` and ``local-dir:`` as timm reads them.
        weights: ``"pretrained"``, what timm names for it; the path of a state dict; or null for
            random ones. RGB kernels of the stem are summed to one channel.
        weights_seed: Of random weights, the same in every fold.
        dim: Width of a token.
        freeze: ``last``: only the new linear layer trains, and the stem where ``stem`` says so;
            ``half``: the first half of the layers with weights is frozen, in the order of their
            definition; ``none``: everything trains.
        stem: Whether the first convolution trains though the rest of the backbone is frozen.
        dropout: On a slice's features, before the linear layer.
        spacing: Voxel size in mm (z, y, x) to resample to.
        size: Rows and columns of a slice.
        lung_mask: Where the lungs come from: threshold, lungmask, given, none.
        least_lung: Share of lung area from which on a slice is kept.
        interpolation: Between voxels, when resampling.
        intensity: ``clip_zscore``: clipped to -1000..400 HU, then standardised; ``zscore``: raw HU
            standardised; ``clip_minmax``: clipped, then 0 to 1.
        statistics: Mean and SD for it: ``"train"``, learnt from the training subjects' pixels, or
            two numbers.
        rate: Probability that a slice is turned in training.
        degrees: Largest angle of a turn.
        flip: Probability that a turned slice is mirrored.
        views: Turned views of every slice that are stored over a frozen trunk; 0 for none.
        standardise: Whether each feature of a cached trunk is standardised, by mean and SD over the
            training subjects' slices; not in the paper, but a frozen network hardly learns without.
        chunk: Slices that go through the network at once; 8 suits the caches of a CPU, 64 a GPU.

    Raises:
        CompositionError: Not one CT per subject, or settings that contradict each other.
        ConfigError: No such backbone, or a setting out of range.

    Reference: Paolo et al. (2026), Health Inf Sci Syst 14:20, EfficientNet-B0 with dim 256 and
        freeze "last": 328,224 weights train with the stem. Deviations: see
        :class:`survkit_slicetention.trunk.slice_trunk.SliceTrunk` (batch normalisation), and
        :mod:`survkit_slicetention.preparation.slice_stack`.
    """

    def __init__(
        self,
        input: InputSpec,
        *,
        backbone: str = "efficientnet_b0",
        weights: str | None = "pretrained",
        weights_seed: int = 0,
        dim: int = 256,
        freeze: Freeze = "last",
        stem: Stem = "trainable",
        dropout: float = 0.2,
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
        standardise: bool = False,
        chunk: int = 8,
    ) -> None:
        super().__init__()
        check_ct(input, "slices")
        if dim < 1 or not 0 <= dropout < 1:
            raise ConfigError(f"dim must be positive and dropout in [0, 1), not {dim}, {dropout}")
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
        if standardise and not self.reader.prepares_features:
            raise CompositionError(
                "standardise is for features that are cached: it needs freeze: last, stem: frozen "
                "and intensity: clip_minmax or statistics: [mean, sd]"
            )
        width = self.reader.trunk.features
        self.scale = FeatureScale(width) if standardise else None
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(width, dim)
        self._encoding = EncodingSpec(dim=dim, tokens=None)

    @property
    def encoding(self) -> EncodingSpec:
        """As many tokens as there are slices."""
        return self._encoding

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the slices; ``penalties`` changes nothing, there are none."""
        features, mask = self.reader(input)
        features = self.dropout(features if self.scale is None else self.scale(features))
        return Encoding(
            tokens=features,
            summary=self.project(masked_mean(features, mask)),
            present=input.present,
            token_mask=mask,
            projection=self.project,
        )

    def fit_batches(self, batches: Iterable[ModalityInput]) -> None:
        """Learn mean and SD of the training subjects' pixels or features, where settings say so."""
        if self.scale is None:
            self.reader.fit_batches(batches)
        else:
            self.scale.fit(batches)
