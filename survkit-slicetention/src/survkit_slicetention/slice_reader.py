"""From a CT to one vector per slice, cached as far as nothing of it trains."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version

import torch
from torch import Tensor, nn

from survkit.errors import CompositionError, DataError
from survkit.flow import ModalityInput
from survkit.protocols import Sample
from survkit.specs import InputSpec
from survkit_slicetention.pixel_statistics import PixelStatistics
from survkit_slicetention.preparation.intensity import CLIP, clipped
from survkit_slicetention.preparation.slice_stack import StackSettings, region_share, slice_stack
from survkit_slicetention.stored_views import Augmentation
from survkit_slicetention.trunk.slice_trunk import SliceTrunk, TrunkSettings

EXAMPLE_SLICES = 3


def check_ct(input: InputSpec, name: str) -> None:
    """Refuse what is not one CT per subject.

    Raises:
        CompositionError: Another kind of input.
    """
    if input.kind != "volume" or input.has_tokens or input.shape[0] != 1:
        many = " with many arrays per subject" if input.has_tokens else ""
        channels = f" of {input.shape[0]} channels" if input.kind == "volume" else ""
        raise CompositionError(
            f"{name} needs a volume modality, one CT in HU per subject and one channel, but this "
            f"one is a {input.kind}{channels}{many}; tabular fits tables, vector fits precomputed "
            "embeddings"
        )


def slices_of(sample: Sample, settings: StackSettings) -> Tensor:
    """Return the slices (slice, y, x) of a CT in HU.

    Raises:
        DataError: No voxel size, no HU, or no lungs.
    """
    return slice_stack(sample.values, _spacing(sample), sample.mask, settings, sample.source)


class SliceReader(nn.Module):
    """Slices of a CT, scaled, augmented, and through the trunk.

    Where the trunk is wholly frozen and the scale is fixed, ``prepare`` goes all the way and gives
    (slice, feature), or (slice, 1 + views, feature) with stored views. Else it gives the slices
    themselves, (slice, y, x) in HU, and the rest is done in every forward.
    """

    def __init__(
        self,
        stack: StackSettings,
        trunk: TrunkSettings,
        pixels: PixelStatistics,
        augmentation: Augmentation,
    ) -> None:
        super().__init__()
        self.stack, self.augmentation, self.pixels = stack, augmentation, pixels
        self.trunk = SliceTrunk(trunk)
        self.prepares_features = self.trunk.is_frozen and pixels.is_fixed
        if augmentation.views and not self.prepares_features:
            raise CompositionError(
                "views are stored over a trunk whose output can be: it needs freeze: last, stem: "
                "frozen and intensity: clip_minmax or statistics: [mean, sd]; else leave views at "
                "0, every epoch then draws anew"
            )

    def prepare(self, sample: Sample) -> Tensor:
        """Return what is cached of a subject.

        Raises:
            DataError: No spacing, no HU, or no lungs.
        """
        slices = slices_of(sample, self.stack)
        if not self.prepares_features:
            return clipped(slices, self.pixels.intensity)
        parameter = next(self.trunk.parameters())
        with torch.no_grad():
            scaled = self.pixels(slices).to(parameter.device, parameter.dtype)
            views = self.augmentation.views_of(scaled)
            features: Tensor = self.trunk(views.flatten(0, 1)[:, None])
        features = features.reshape(*views.shape[:2], -1).cpu()
        return features if self.augmentation.views else features[:, 0].contiguous()

    def fingerprint(self) -> str:
        """Return what the result of ``prepare`` depends on, and nothing else."""
        parts: dict[str, object] = {
            "stack": asdict(self.stack),
            "clip": self.pixels.intensity != "zscore",
            "versions": {name: version(name) for name in ("SimpleITK", "scipy")},
        }
        if self.prepares_features:
            settings = self.trunk.settings
            parts |= {
                "intensity": [self.pixels.intensity, self.pixels.moments.tolist()],
                "augmentation": asdict(self.augmentation) if self.augmentation.views else None,
                "backbone": [settings.backbone, settings.chunk, _digest(self.trunk)],
                "libraries": {name: version(name) for name in ("timm", "torch", "torchvision")},
            }
        return json.dumps(parts, sort_keys=True)

    def example(self, generator: torch.Generator) -> Tensor:
        """Return made-up values as ``prepare`` could have."""
        if not self.prepares_features:
            size = self.stack.size
            share = torch.rand(EXAMPLE_SLICES, size, size, generator=generator)
            return CLIP[0] + (CLIP[1] - CLIP[0]) * share
        axes = [EXAMPLE_SLICES, self.trunk.features]
        if self.augmentation.views:
            axes.insert(1, 1 + self.augmentation.views)
        return torch.randn(axes, generator=generator)

    def forward(self, input: ModalityInput) -> tuple[Tensor, Tensor | None]:
        """Return features (batch, slice, feature), zero in padding, and the mask of real slices.

        Padding is never computed: slices are counted by the mask, once per call (the one time that
        a device is waited for), so an image of zeros is as real as any other.
        """
        values, mask = input.values, input.token_mask
        if self.prepares_features:
            if self.augmentation.views:
                values = self.augmentation.draw(values, training=self.training)
            return values, mask
        batch, slices = values.shape[:2]
        flat = values.flatten(0, 1)
        places = None if mask is None else mask.flatten().nonzero().flatten()
        flat = flat if places is None else flat[places]
        pixels = self.pixels(flat)
        if self.training:
            pixels = self.augmentation.apply(pixels)
        features = self.trunk(pixels[:, None])
        if places is not None:
            whole = features.new_zeros(batch * slices, features.shape[1])
            features = whole.index_copy(0, places, features)
        return features.reshape(batch, slices, -1), mask

    def fit_batches(self, batches: Iterable[ModalityInput]) -> None:
        """Learn the scale of intensities, where it is not fixed."""
        if not self.pixels.is_fixed:
            self.pixels.fit(batches)

    def images(self, sample: Sample) -> Tensor:
        """Return the slices as pictures, -1000 HU black and 400 HU white."""
        slices = slices_of(sample, self.stack).clamp(*CLIP)
        return (slices - CLIP[0]) / (CLIP[1] - CLIP[0])

    def region_share(self, sample: Sample) -> Tensor:
        """Return the share of each slice that the sample's mask covers."""
        assert sample.mask is not None
        return region_share(sample.values, _spacing(sample), sample.mask, self.stack, sample.source)


def masked_mean(features: Tensor, mask: Tensor | None) -> Tensor:
    """Return the mean over real slices, (batch, feature); zero where there is none."""
    if mask is None:
        return features.mean(dim=1)
    weight = mask.to(features.dtype)
    return torch.einsum("bs,bsf->bf", weight, features) / weight.sum(1, keepdim=True).clamp(min=1)


def _digest(network: nn.Module) -> str:
    """Return a hash of a network's weights and their names."""
    whole = hashlib.sha256()
    for name, value in network.state_dict().items():
        data = value.detach().cpu().contiguous()
        whole.update(f"{name}|{data.dtype}|{tuple(data.shape)}|".encode())
        whole.update(data.numpy().tobytes())
    return whole.hexdigest()


def _spacing(sample: Sample) -> tuple[float, float, float]:
    if sample.spacing is None or len(sample.spacing) != 3:
        raise DataError(
            f"{sample.source or 'a CT'}: the voxel size in mm (z, y, x) is needed to resample, "
            f"but spacing is {sample.spacing}"
        )
    return (sample.spacing[0], sample.spacing[1], sample.spacing[2])
