"""Radiomic features of a region of interest, computed from an image or a volume and its mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import torch
from torch import Generator, Tensor, nn

from survkit.errors import CompositionError, ConfigError, DataError
from survkit.flow import Encoding, ModalityInput
from survkit.protocols import Sample
from survkit.radiomics import FEATURE_NAMES, RadiomicsSettings, roi_features
from survkit.specs import EncodingSpec, InputSpec
from survkit_radvit.groups.feature_names import feature_groups
from survkit_radvit.groups.gray_levels import Scale, check_scale, on_scale
from survkit_radvit.groups.group_network import GroupNetwork


class RoiRadiomicsEncoder(nn.Module):
    """Encodes an image or a volume by the 93 radiomic features of its region of interest.

    The features are computed once per subject, inside the mask that the cohort names, and cached;
    from there on it is :class:`survkit_radvit.radiomics.RadiomicsEncoder`, settings and all.

    Intensities must be such that ``bin_width`` cuts them into gray levels, as HU and 0 to 255 are:
    a ``window`` in the cohort file, which maps to [-1, 1], is refused.

    Args:
        input: An image or a volume of one channel; its modality needs a ``mask``.
        bin_width: Of a gray level, in units of the intensity.
        bin_count: Gray levels from the region's lowest to its highest intensity, instead of
            ``bin_width: null``.
        scale: ``none``, intensities as they are, or ``min-max-255``: the region's lowest to 0 and
            highest to 255.
        dim: Width of a token; null hands the features themselves on.
        hidden: Widths of hidden layers (ReLU) of each class of features; they need a ``dim``.
        dropout: After each hidden layer.
        groups: ``class``: a group per class of features; ``none``: all together.

    Raises:
        CompositionError: Not one image or volume of one channel per subject.
        ConfigError: A setting out of range.

    Reference: see :mod:`survkit.radiomics`.
    """

    prepares_missing = True

    def __init__(
        self,
        input: InputSpec,
        *,
        bin_width: float | None = 25.0,
        bin_count: int | None = None,
        scale: Scale = "none",
        dim: int | None = None,
        hidden: Sequence[int] = (),
        dropout: float = 0.0,
        groups: Literal["class", "none"] = "class",
    ) -> None:
        super().__init__()
        _check_input(input)
        check_scale(scale)
        if groups not in ("class", "none"):
            raise ConfigError(f"groups is class or none, not {groups!r}")
        self.settings = RadiomicsSettings(bin_width=bin_width, bin_count=bin_count)
        self.scale = scale
        self.network = GroupNetwork(
            FEATURE_NAMES,
            feature_groups(FEATURE_NAMES, groups),
            dim=dim,
            hidden=hidden,
            dropout=dropout,
        )

    @property
    def encoding(self) -> EncodingSpec:
        """A token per group; one token, the features themselves, without ``dim``."""
        return self.network.encoding

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the features; ``penalties`` changes nothing, there are none."""
        encoding: Encoding = self.network(input)
        return encoding

    def prepare(self, sample: Sample) -> Tensor:
        """Return the features of the region in the order of ``survkit.radiomics.FEATURE_NAMES``;
        float64 (93), NaN where one is not defined.

        Raises:
            DataError: No mask, an empty one, or intensities that are one gray level.
        """
        mask = sample.mask
        if mask is None:
            raise DataError(
                f"{sample.source}: roi-radiomics reads a region of interest, but there is no mask; "
                "name a column of masks in the cohort file (mask: ...), or leave the subject out"
            )
        if not bool(mask.any()):
            raise DataError(f"{sample.source}: the mask is empty; leave the subject out")
        image = sample.values[0].to(torch.float64)
        inside = on_scale(image[mask], self.scale, self.settings, source=sample.source)
        scaled = torch.zeros_like(image).masked_scatter(mask, inside)
        return roi_features(scaled, mask, sample.spacing or (1.0,) * image.ndim, self.settings)

    def preparation_fingerprint(self) -> str:
        """Return the settings and the version of the features."""
        return f"{self.settings.fingerprint}, region, scale {self.scale}"

    def prepared_example(self, *, generator: Generator) -> Tensor:
        """Return made-up features."""
        return torch.randn(len(FEATURE_NAMES), generator=generator, dtype=torch.float64)

    def fit_batches(self, batches: Iterable[ModalityInput]) -> None:
        """Learn gaps, constant features and scale from the training subjects."""
        self.network.fit(batches)

    def feature_groups(self) -> Mapping[str, tuple[int, ...]]:
        """Return by group which of the prepared features belong to it, along the last axis."""
        return dict(self.network.groups)


def _check_input(input: InputSpec) -> None:
    if input.kind not in ("image", "volume") or input.has_tokens:
        many = " with many arrays per subject" if input.has_tokens else ""
        raise CompositionError(
            "roi-radiomics needs an image or a volume with a mask, one per subject, but this "
            f"modality is a {input.kind}{many}; radvit/radiomics takes features that are there "
            "already"
        )
    if input.shape[0] != 1:
        raise CompositionError(
            f"roi-radiomics needs one channel, but the {input.kind} has {input.shape[0]}; radiomic "
            "features are of gray levels"
        )
