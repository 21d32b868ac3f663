"""The lungs as one volume of fixed size under a 3-D network: what slices are compared with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError
from survkit.flow import Encoding, ModalityInput
from survkit.plugins import default_registry
from survkit.protocols import Sample
from survkit.published_weights import file_state
from survkit.specs import EncodingSpec, InputSpec
from survkit_slicetention.pixel_statistics import PixelStatistics
from survkit_slicetention.preparation.axis_resampling import Interpolation, along, resizing
from survkit_slicetention.preparation.intensity import CLIP, Intensity, clipped
from survkit_slicetention.preparation.lung_provider import LungProvider
from survkit_slicetention.preparation.slice_stack import StackSettings
from survkit_slicetention.slice_reader import check_ct, slices_of
from survkit_slicetention.stored_views import Augmentation
from survkit_slicetention.trunk.freezing import freeze_half
from survkit_slicetention.trunk.random_weights import made_up_images, set_batch_statistics
from survkit_slicetention.trunk.weights import load_backbone_state

Setting = bool | int | float | str | None


class LungVolumeEncoder(nn.Module):
    """Encodes the lungs of a chest CT by a 3-D network.

    The same slices and box as those of :class:`survkit_slicetention.slices.SlicesEncoder`, resized
    to ``depth`` x ``size`` x ``size`` (linear, antialiased), whatever their number; so voxels have
    another size in each patient, as in the paper. Settings not named here are those of ``slices``;
    turns and mirroring are of the whole volume.

    Args:
        input: The CT; one channel.
        network: Encoder for volumes by its registry name: resnet3d-18, densenet3d-121.
        network_settings: Its own settings, but for ``dim``.
        weights: Path of a state dict of that encoder; null for random ones.
        dim: Width of a token.
        freeze: ``none``: everything trains; ``half``: the first half of the layers with weights is
            frozen, in eval mode, as they are set at the start.
        depth: Planes of the volume.
        size: Rows and columns of the volume.

    Raises:
        CompositionError: Not one CT per subject, or a size that the network cannot take.
        ConfigError: No such network, a setting that it has not, or one out of range.

    Reference: Paolo et al. (2026), Health Inf Sci Syst 14:20, the 3-D rivals.
    """

    def __init__(
        self,
        input: InputSpec,
        *,
        network: str = "resnet3d-18",
        network_settings: dict[str, Setting] | None = None,
        weights: str | None = None,
        dim: int = 256,
        freeze: Literal["half", "none"] = "none",
        depth: int = 64,
        size: int = 128,
        spacing: tuple[float, float, float] = (3.0, 1.0, 1.0),
        lung_mask: LungProvider = "threshold",
        least_lung: float = 0.02,
        interpolation: Interpolation = "bspline",
        intensity: Intensity = "clip_zscore",
        statistics: Literal["train"] | tuple[float, float] = "train",
        rate: float = 0.2,
        degrees: float = 20.0,
        flip: float = 0.5,
    ) -> None:
        super().__init__()
        check_ct(input, "lung-volume")
        if freeze not in ("half", "none") or depth < 1:
            raise ConfigError(
                f"freeze must be half or none and depth positive, not {freeze!r}, {depth}"
            )
        self.depth, self.weights = depth, weights
        self.stack = StackSettings(
            spacing=spacing,
            size=size,
            lung_mask=lung_mask,
            least_lung=least_lung,
            interpolation=interpolation,
        )
        self.pixels = PixelStatistics(intensity, statistics)
        self.augmentation = Augmentation(rate=rate, degrees=degrees, flip=flip)
        volume = InputSpec(kind="volume", shape=(1, depth, size, size))
        self.network = _built(network, volume, {**(network_settings or {}), "dim": dim})
        self._frozen: list[nn.Module] = []
        if freeze == "half":
            if weights is None:
                _set_statistics(self.network)
            frozen = freeze_half(self.network)
            self._frozen = [each for each in frozen if not any(each.children())]
            self.train(self.training)

    @property
    def encoding(self) -> EncodingSpec:
        """That of the network."""
        spec: EncodingSpec = self.network.encoding
        return spec

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the volumes; ``penalties`` is handed on."""
        values = self.pixels(input.values)
        if self.training:
            # planes are to one volume what channels are to one image: they move together
            values = self.augmentation.apply(values[:, 0])[:, None]
        given = ModalityInput(values, input.present, complete=input.complete)
        encoding: Encoding = self.network(given, penalties=penalties)
        return encoding

    def train(self, mode: bool = True) -> LungVolumeEncoder:
        """Set the mode of what trains; the rest stays in eval mode."""
        super().train(mode)
        for module in getattr(self, "_frozen", []):
            module.eval()
        return self

    def prepare(self, sample: Sample) -> Tensor:
        """Return the lungs in HU, (1, depth, size, size)."""
        slices = clipped(slices_of(sample, self.stack), self.pixels.intensity)
        return along(slices, 0, resizing(len(slices), self.depth))[None].contiguous()

    def preparation_fingerprint(self) -> str:
        """Return the settings and versions that ``prepare`` depends on."""
        parts = {
            "stack": asdict(self.stack),
            "depth": self.depth,
            "clip": self.pixels.intensity != "zscore",
            "versions": {name: version(name) for name in ("SimpleITK", "scipy")},
        }
        return json.dumps(parts, sort_keys=True)

    def prepared_example(self, *, generator: torch.Generator) -> Tensor:
        """Return a made-up volume."""
        size = self.stack.size
        share = torch.rand(1, self.depth, size, size, generator=generator)
        return CLIP[0] + (CLIP[1] - CLIP[0]) * share

    def load_weights(self) -> None:
        """Read the network's weights, where a file is named.

        Raises:
            DataError: There is no such file, or its weights are another network's.
        """
        if self.weights is not None:
            load_backbone_state(self.network, file_state(Path(self.weights)), self.weights)

    def fit_batches(self, batches: Iterable[ModalityInput]) -> None:
        """Learn mean and SD of the training subjects' voxels, where ``statistics`` says so."""
        if not self.pixels.is_fixed:
            self.pixels.fit(batches)


def _built(name: str, volume: InputSpec, settings: dict[str, Setting]) -> Any:
    constructor: Any = default_registry().find("encoder", name).load()
    try:
        return constructor(volume, **settings)
    except TypeError as error:
        raise ConfigError(
            f"the network {name!r} does not take network_settings: {error}"
        ) from error


def _set_statistics(network: Any) -> None:
    """Give a random network's normalisation something to go by, see ``set_batch_statistics``."""

    def run() -> None:
        images = made_up_images(2, (1, 32, 32, 32), seed=0).double()
        network(ModalityInput(images, torch.ones(2, dtype=torch.bool)))

    set_batch_statistics(network, run)
