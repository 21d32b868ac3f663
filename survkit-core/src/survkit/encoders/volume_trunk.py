"""What the 3-D convolutional encoders do alike: check the input, know the grid, swap normalisation.

MONAI takes seconds to import, so it is imported when the first network is built.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Literal, get_args

from torch import Tensor, nn

from survkit.errors import CompositionError, ConfigError, MissingExtraError
from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec

Norm = Literal["batch", "group", "instance"]
Stem = Literal["standard", "small"]

MINIMUM_SIZE = 16
_INSTALL = 'pip install "survkit-core[imaging]"'


def import_monai(module: str, needed_by: str) -> ModuleType:
    """Import a module of MONAI.

    Raises:
        MissingExtraError: MONAI is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "monai":
            raise
        raise MissingExtraError(
            f"{needed_by} needs MONAI, which is not installed: {_INSTALL}"
        ) from error


def check_volume(input: InputSpec, name: str) -> None:
    """Refuse what a 3-D network cannot take.

    Raises:
        CompositionError: Not one volume per subject, or one smaller than 16 voxels along an axis.
    """
    if input.kind != "volume" or input.has_tokens:
        raise CompositionError(
            f"{name} needs a volume modality with one volume per subject, but this one is a "
            f"{input.kind}{' with many arrays per subject' if input.has_tokens else ''}; "
            "tabular fits tables, vector fits precomputed embeddings"
        )
    if min(input.shape[1:]) < MINIMUM_SIZE:
        raise CompositionError(
            f"{name} needs at least {MINIMUM_SIZE} voxels along each axis, but the volume is "
            f"{' x '.join(map(str, input.shape[1:]))}; prepare larger crops"
        )


def halved(size: tuple[int, ...], times: int) -> tuple[int, ...]:
    """Return the spatial size after so many layers of stride 2 that round up."""
    for _ in range(times):
        size = tuple((axis + 1) // 2 for axis in size)
    return size


def check_choice(name: str, value: str, choices: object) -> None:
    """Refuse a value that is none of a Literal type's."""
    if value not in get_args(choices):
        raise ConfigError(f"{name} must be one of {', '.join(get_args(choices))}, not {value!r}")


def set_norm(network: nn.Module, norm: Norm, grid: tuple[int, ...]) -> None:
    """Replace every batch normalisation in the network by what was asked, in place.

    MONAI's own ``norm`` setting does not reach all of a ResNet's layers (the blocks and shortcuts
    keep batch normalisation), therefore this.

    Raises:
        ConfigError: Instance normalisation of a last grid of one voxel, which would always be 0.
    """
    check_choice("norm", norm, Norm)
    if norm == "batch":
        return
    if norm == "instance" and max(grid) == 1:
        raise ConfigError(
            'norm="instance" cannot normalise the last feature map, which is one voxel; '
            'use norm="group", larger volumes or stem="small"'
        )
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.BatchNorm3d):
            channels = module.num_features
            groups = channels if norm == "instance" else _groups(channels)
            parent, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent), child, nn.GroupNorm(groups, channels))


def _groups(channels: int) -> int:
    """Return the most groups, up to 8, that divide the channels and leave 2 in each."""
    return max(count for count in range(1, 9) if channels % count == 0 and channels // count >= 2)


def encode_feature_map(
    features: Tensor, project: nn.Module, input: ModalityInput, spec: EncodingSpec
) -> Encoding:
    """Return the positions of a feature map (batch, channel, z, y, x) as tokens on their grid."""
    tokens = project(features.flatten(2).transpose(1, 2))
    return Encoding(
        tokens=tokens, summary=tokens.mean(dim=1), present=input.present, grid=spec.grid
    )
