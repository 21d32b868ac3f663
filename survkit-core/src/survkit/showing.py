"""What a component may offer to be looked at, beyond its predictions; all of it is optional.

``survkit explain`` asks for it, for single subjects, and ``survkit importance`` for the names of
groups of features; neither training nor prediction does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from torch import Tensor

from survkit.flow import Encoding
from survkit.protocols import Sample

VolumeKind = Literal["intensity", "label"]


@runtime_checkable
class ShowsTokens(Protocol):
    """An encoder whose tokens are parts of the image that a person can look at."""

    def token_images(self, sample: Sample) -> Tensor:
        """Return the picture of each token, in the order of the tokens; float in [0, 1], (token, y,
        x).
        """


@runtime_checkable
class ShowsTokenMasks(Protocol):
    """An encoder that knows which of its tokens the region of interest touches.

    Offered beside :class:`ShowsTokens`, so that attention can be compared with a region that the
    model may never have seen. Where the encoder crops or resamples, it maps the region itself.
    """

    def token_mask_share(self, sample: Sample) -> Tensor:
        """Return the share of each token's pixels inside the sample's mask, in the order of the
        tokens; float in [0, 1], (token). It is called with samples that have a mask only.
        """


@runtime_checkable
class ShowsAttentionMaps(Protocol):
    """An encoder of images that says where in the picture it looked.

    Its grid covers the whole picture: if it has a ``prepare``, that one crops nothing.
    """

    def attention_maps(self, values: Tensor) -> Mapping[str, Tensor]:
        """Return by name, such as ``"last block"`` or ``"rollout"``, how the attention lies over a
        grid of cells that tile the picture; float (batch, row, column), not negative, each
        subject's sums to one. Called in eval mode; a map with more cells than pixels is no map.

        Args:
            values: What ``forward`` gets; (batch, *shape).
        """


@runtime_checkable
class NamesFeatureGroups(Protocol):
    """An encoder that reads features which belong together, such as classes of radiomic features.

    Asked of a built encoder; the answer depends on its settings alone.
    """

    def feature_groups(self) -> Mapping[str, tuple[int, ...]]:
        """Return by name, such as ``"glcm"``, positions on the last axis of what ``forward`` gets,
        counted from 0. Every position is in exactly one group.
        """


@dataclass(frozen=True, slots=True)
class ShownVolume:
    """Something that has a value at every place of a volume.

    Attributes:
        values: (batch, z, y, x), over the field of view of the input: on its grid, or a coarser
            one, whose cells are shown as blocks of voxels.
        kind: ``"intensity"``: float, in the unit of the input's first channel; one on the input's
            own grid is compared with it. ``"label"``: whole numbers from 0 without an order, such
            as the indices of codes.
        classes: How many labels there are, so that one can say how many of them occur; of labels
            only.
    """

    values: Tensor
    kind: VolumeKind
    classes: int | None = None


@runtime_checkable
class ShowsVolumes(Protocol):
    """An encoder that makes something of a volume that can be seen beside it: its reconstruction,
    the code at every place.

    Its tokens' grid covers the whole input: if it has a ``prepare``, that one crops nothing.
    """

    def volumes(self, values: Tensor) -> Mapping[str, ShownVolume]:
        """Return what there is, by the name that is written above it, such as ``"reconstruction"``
        or ``"codes"``; empty where the settings leave nothing. Called in eval mode.

        Args:
            values: What ``forward`` gets; (batch, *shape).
        """


@runtime_checkable
class ShowsCrossAttention(Protocol):
    """A fusion in which patches of one modality attend to those of another."""

    @property
    def patch_grids(self) -> Mapping[str, tuple[int, int, int]]:
        """Patches of each modality along z, y, x; they tile the grid of its tokens. Empty where the
        settings leave no cross-attention.
        """

    def cross_attention(
        self, encodings: Mapping[str, Encoding]
    ) -> Mapping[tuple[str, str], Tensor]:
        """Return by (who looks, who is looked at) the weights of patches over patches, (batch,
        query patch, key patch), x fastest. Each row sums to one for subjects who have both
        modalities; those of others mean nothing. Called in eval mode if ``patch_grids`` has any.
        """
