"""Radiomics patch by patch as tokens: the second branch of the hybrid model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

import torch
from torch import Generator, Tensor, nn

from survkit.errors import CompositionError, ConfigError, DataError
from survkit.flow import Encoding, ModalityInput
from survkit.protocols import Sample
from survkit.radiomics import FEATURE_NAMES, RadiomicsSettings, patch_features
from survkit.specs import EncodingSpec, InputSpec
from survkit_radvit.groups.feature_names import feature_groups
from survkit_radvit.groups.feature_scaling import FeatureScaling, ValuesOf
from survkit_radvit.groups.gray_levels import Scale, check_scale, on_scale
from survkit_radvit.tokens.patch_transformer import PatchTransformer

FeatureClass = Literal["firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"]


class RadiomicsTokensEncoder(nn.Module):
    """Encodes an image by the radiomic features of its patches; a token per patch, on their grid.

    The image is cut into square patches, each a region of its own, and the 93 features of each are
    computed once per subject and cached. Gaps, constant features and scale are learnt from the
    patches of the training subjects (:class:`survkit_radvit.groups.feature_scaling.FeatureScaling`)
    and what is left goes through a small transformer. The summary is its class token, the tokens
    are the patches, both after the last normalisation; ``attention_weights`` are those of the class
    token over the patches in the last block.

    Gray levels are bins of 25 from an image on 0 to 255, as chest X-rays of 8 bits are. An image
    without two of them is refused: one with a ``window`` in the cohort file lies in [-1, 1].

    Args:
        input: An image of one channel whose sides are multiples of ``patch``.
        patch: Side of a patch in pixels.
        bin_width: Of a gray level, in units of the intensity.
        bin_count: Gray levels of a patch, from its lowest to its highest intensity, instead of
            ``bin_width: null``.
        scale: ``none``, intensities as they are, or ``min-max-255``: each image's lowest to 0 and
            highest to 255, for images of 16 bits.
        classes: Of the features; all six by default.
        dim: Width of a token.
        heads: Attention heads.
        hidden: Width within a block's feed-forward part.
        dropout: Within the blocks.
        depth: How many blocks; the paper has one.

    Raises:
        CompositionError: Not an image of one channel that patches tile.
        ConfigError: A setting out of range.

    Reference: Shi, Li (2026), arXiv 2604.21056, fig. 4: patches of 32 pixels, one block. Its list
        of features is unknown; the widths are a third party's.
    """

    prepares_missing = True

    def __init__(
        self,
        input: InputSpec,
        *,
        patch: int = 32,
        bin_width: float | None = 25.0,
        bin_count: int | None = None,
        scale: Scale = "none",
        classes: Sequence[FeatureClass] = get_args(FeatureClass),
        dim: int = 128,
        heads: int = 4,
        hidden: int = 256,
        dropout: float = 0.1,
        depth: int = 1,
    ) -> None:
        super().__init__()
        rows, columns = _grid(input, patch)
        check_scale(scale)
        self.settings = RadiomicsSettings(bin_width=bin_width, bin_count=bin_count)
        self.patch, self.scale = patch, scale
        self._chosen = _chosen(classes)
        self._names = tuple(FEATURE_NAMES[position] for position in self._chosen)
        self.scaling = FeatureScaling(self._names)
        self.transformer = PatchTransformer(
            len(self._names),
            rows * columns,
            dim=dim,
            heads=heads,
            hidden=hidden,
            dropout=dropout,
            depth=depth,
        )
        self._encoding = EncodingSpec(dim=dim, tokens=rows * columns, grid=(rows, columns))

    @property
    def encoding(self) -> EncodingSpec:
        """A token per patch, on the grid of patches (row, column)."""
        return self._encoding

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the features; ``penalties`` changes nothing, there are none."""
        summary, tokens, weights = self._encoded(input.values)
        return Encoding(
            tokens=tokens,
            summary=summary,
            present=input.present,
            grid=self._encoding.grid,
            attention_weights=weights,
        )

    def prepare(self, sample: Sample) -> Tensor:
        """Return the features of every patch, row by row, those of the classes in the order of
        ``survkit.radiomics.FEATURE_NAMES``; float64 (patch, feature), NaN where one is not defined.

        Raises:
            DataError: Another size than the encoder was built for; intensities that are all equal
                or one gray level.
        """
        self._check_size(sample)
        image = on_scale(sample.values[0], self.scale, self.settings, source=sample.source)
        return patch_features(image[None], self.patch, self.settings)[0, :, list(self._chosen)]

    def _check_size(self, sample: Sample) -> None:
        """Refuse an image whose patches are others, though they may be as many."""
        found = tuple(sample.values.shape[1:])
        expected = tuple(patches * self.patch for patches in self._encoding.grid or ())
        if found != expected:
            raise DataError(
                f"{sample.source}: the image has {found[0]} x {found[1]} pixels, but the model "
                f"takes {expected[0]} x {expected[1]}; declare 'size' in the cohort file"
            )

    def preparation_fingerprint(self) -> str:
        """Return the settings, the version of the features, and the size that is not refused."""
        rows, columns = self._encoding.grid or ()
        bins = (
            f"{self.settings.fingerprint}, {rows} x {columns} patches of {self.patch}, "
            f"scale {self.scale}"
        )
        return f"{bins}, {', '.join(self._names)}"

    def prepared_example(self, *, generator: Generator) -> Tensor:
        """Return made-up features."""
        patches = self._encoding.tokens or 0
        return torch.randn(patches, len(self._names), generator=generator, dtype=torch.float64)

    def fit_batches(self, batches: Iterable[ModalityInput]) -> None:
        """Learn the scale of the features from the patches of the training subjects."""
        self.scaling.fit(ValuesOf(batches))

    def feature_groups(self) -> Mapping[str, tuple[int, ...]]:
        """Return by class which of the prepared features belong to it, along the last axis."""
        return feature_groups(self._names, "class")

    def attention_maps(self, values: Tensor) -> Mapping[str, Tensor]:
        """Return where the class token looked in the last block; (batch, row, column)."""
        rows, columns = self._encoding.grid or ()
        return {"last block": self._encoded(values)[2].view(-1, rows, columns)}

    def _encoded(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        scaled = self.scaling(values).to(self.transformer.project.weight.dtype)
        found: tuple[Tensor, Tensor, Tensor] = self.transformer(scaled)
        return found


def _chosen(classes: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of the classes' features among all, in the order of all."""
    known = feature_groups(FEATURE_NAMES, "class")
    if not classes or set(classes) - known.keys() or len(set(classes)) < len(classes):
        raise ConfigError(
            f"classes are one or more of {', '.join(known)}, each once, not {list(classes)}"
        )
    return tuple(place for name, places in known.items() if name in classes for place in places)


def _grid(input: InputSpec, patch: int) -> tuple[int, int]:
    """Return how many patches there are along y and x, or refuse the input."""
    if input.kind != "image" or input.has_tokens:
        many = " with many arrays per subject" if input.has_tokens else ""
        raise CompositionError(
            f"radiomics-tokens needs an image modality with one image per subject, but this one is "
            f"a {input.kind}{many}; radvit/radiomics takes tables, "
            "radvit/roi-radiomics regions of images and volumes"
        )
    channels, rows, columns = input.shape
    if channels != 1:
        raise CompositionError(
            f"radiomics-tokens needs an image of one channel, but it has {channels}; radiomic "
            "features are of gray levels: declare the image without colours in the cohort file"
        )
    if patch < 2:
        raise ConfigError(f"patch must be at least 2 pixels, not {patch}")
    if rows % patch or columns % patch:
        near = ", ".join(str(-(-side // patch) * patch) for side in (rows, columns))
        raise CompositionError(
            f"radiomics-tokens cuts the image into patches of {patch} x {patch} pixels, but it is "
            f"{rows} x {columns}; declare size: [{near}] for this modality in the cohort (fit: pad "
            "keeps the proportions), or set another patch"
        )
    return rows // patch, columns // patch
