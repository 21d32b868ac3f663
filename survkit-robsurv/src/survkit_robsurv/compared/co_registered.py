"""What a fusion of co-registered volumes is given: images, other modalities, a mask to draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.errors import CompositionError, DataError
from survkit.flow import Encoding
from survkit.fusions.modalities import check_modalities, presence, sorted_modalities, where_present
from survkit.specs import EncodingSpec
from survkit_robsurv.compared.voxels import VoxelSpec, to_volume

TARGET = "gtv"
"""The mask's modality unless a recipe says otherwise; it may be missing beside a single volume."""


@dataclass(frozen=True, slots=True)
class CoRegistered:
    """The modalities of a fusion by what they are to it.

    Attributes:
        names: All of them, sorted.
        images: Volumes of raw voxels on one grid, sorted; the channels of one image.
        vectors: The others, sorted, with the width of their summary.
        target: The mask that the fusion learns to draw, if the recipe names it. No prediction
            reads it.
        voxels: The grid of the images.
    """

    names: tuple[str, ...]
    images: tuple[str, ...]
    vectors: Mapping[str, int]
    target: str | None
    voxels: VoxelSpec

    @property
    def supervision(self) -> tuple[str, ...]:
        """Modalities that only penalties read."""
        return () if self.target is None else (self.target,)

    @property
    def shape(self) -> tuple[int, ...]:
        """Axes (z, y, x) of the images in voxels."""
        assert self.voxels.grid is not None
        return tuple(axis * self.voxels.patch for axis in self.voxels.grid)

    def stacked(self, encodings: Mapping[str, Encoding]) -> Tensor:
        """Return the images as channels (batch, image, z, y, x); zeros for who lacks one."""
        return torch.stack([self._volume(encodings[name]) for name in self.images], dim=1)

    def mask(self, encodings: Mapping[str, Encoding]) -> Tensor:
        """Return the label map (batch, z, y, x) of the target; zeros for who has none."""
        assert self.target is not None
        return self._volume(encodings[self.target])

    def with_image(self, encodings: Mapping[str, Encoding]) -> Tensor:
        """Return who has an image; bool (batch).

        Raises:
            DataError: Other modalities than those, or a subject with a mask and nothing else.
        """
        check_modalities(self.names, encodings)
        read = [name for name in self.names if name != self.target]
        # The one time that the host asks the device; a compiled graph does without.
        if self.target is not None and not torch.compiler.is_compiling():
            some = presence(read, encodings).any(dim=1)
            if not bool(some.all()):
                raise DataError(
                    f"row {int((~some).nonzero()[0])} of the batch has none of "
                    f"{', '.join(read)}; {self.target} is a mask to learn from, nothing can be "
                    "predicted from it alone; leave the subject out"
                )
        return presence(self.images, encodings).any(dim=1)

    def side_by_side(self, encodings: Mapping[str, Encoding]) -> list[Tensor]:
        """Return the summaries of the other modalities; zeros for who lacks one."""
        return [
            where_present(encodings[name].summary, encodings[name].present) for name in self.vectors
        ]

    def _volume(self, encoding: Encoding) -> Tensor:
        assert self.voxels.grid is not None
        tokens = where_present(encoding.tokens, encoding.present)
        return to_volume(tokens, self.voxels.grid, self.voxels.patch)


class LearnsToDraw:
    """What the fusions of co-registered volumes say alike of the mask that they learn to draw."""

    inputs: CoRegistered

    @property
    def penalties(self) -> tuple[str, ...]:
        """``segmentation``, where there is a mask to learn from."""
        return ("segmentation",) if self.inputs.target else ()

    @property
    def supervision(self) -> tuple[str, ...]:
        """The mask's modality."""
        return self.inputs.supervision


def co_registered(encodings: Mapping[str, EncodingSpec], *, target: str | None) -> CoRegistered:
    """Sort the modalities of a fusion of images.

    Args:
        encodings: What the encoders give.
        target: Name of the modality with the mask; ``None`` where there is no mask.

    Raises:
        CompositionError: No images, images of different grids, a grid of tokens that are no voxels,
            or a target that is no modality: the mask, under another name, would be an image to
            predict from. Beside a single volume the default target may be missing.
    """
    names = sorted_modalities(encodings)
    voxels = {name: spec for name, spec in encodings.items() if isinstance(spec, VoxelSpec)}
    _refuse_unknown_target(target, names, sorted(voxels))
    images = tuple(name for name in names if name in voxels and name != target)
    if not images:
        raise CompositionError(
            "the fusion reads the voxels of at least one image, but none of "
            f"{', '.join(names)} gives them; use the encoder robsurv/voxels for the volumes"
        )
    if target in encodings and target not in voxels:
        raise CompositionError(
            f"{target} is the mask to draw and needs the encoder robsurv/voxels; "
            "or name another modality with target="
        )
    first = voxels[images[0]]
    for name, spec in voxels.items():
        if (spec.grid, spec.patch) != (first.grid, first.patch):
            raise CompositionError(
                f"the volumes must lie on one grid, but {images[0]} has {first.grid} patches of "
                f"{first.patch} voxels and {name} {spec.grid} of {spec.patch}; prepare them alike"
            )
    vectors = {name: encodings[name].dim for name in names if name not in voxels}
    return CoRegistered(names, images, vectors, target if target in voxels else None, first)


def _refuse_unknown_target(target: str | None, names: tuple[str, ...], volumes: list[str]) -> None:
    """Refuse a target that is no modality, said or by default: one of the volumes may be the mask.

    Raises:
        CompositionError: It is none; the sentence names what there is.
    """
    if target is None or target in names or (target == TARGET and len(volumes) < 2):
        return
    raise CompositionError(
        f"target names the modality with the mask to draw, but {target!r} is none of "
        f"{', '.join(names)}, and a mask that is not named would be an image to predict from; "
        "name it (--set fusion.target=NAME), or set fusion.target=null where there is no mask"
    )
