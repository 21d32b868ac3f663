"""How far drawn regions are from those of a mask, subject by subject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from survkit.errors import ConfigError
from survkit.fusions.modalities import where_present

VoxelLoss = Literal["none", "cross-entropy", "focal"]


def regions_of(label_map: Tensor, labels: Sequence[int] | None) -> Tensor:
    """Return the regions (batch, region, z, y, x) of label maps (batch, z, y, x), as 0 and 1.

    Args:
        label_map: 0 for the background, k for region k. What lies between, as after an
            interpolation, belongs to the nearest whole number.
        labels: One region per label; ``None`` for one region of everything that is not background.
    """
    if labels is None:
        return (label_map > 0.5).unsqueeze(1).to(label_map.dtype)
    regions = [(label_map > label - 0.5) & (label_map <= label + 0.5) for label in labels]
    return torch.stack(regions, dim=1).to(label_map.dtype)


def dice_loss(probability: Tensor, region: Tensor, *, smooth: float = 1.0) -> Tensor:
    """Return 1 - (2 sum pg + s) / (sum p + sum g + s), the mean over regions; (batch).

    A region that a subject does not have, and that is not drawn, costs nothing: that is what s, a
    single voxel, is for.

    Args:
        probability: Of each voxel p; (batch, region, z, y, x).
        region: 0 or 1 per voxel g; (batch, region, z, y, x).
        smooth: s.

    Reference: Milletari, Navab, Ahmadi (2016), V-Net, 3DV; here with plain sums below.
    """
    axes = tuple(range(2, probability.ndim))
    both = (probability * region).sum(axes)
    each = probability.sum(axes) + region.sum(axes)
    return (1 - (2 * both + smooth) / (each + smooth)).mean(dim=1)


def voxel_loss(logits: Tensor, region: Tensor, *, focus: float = 0.0) -> Tensor:
    """Return the mean over voxels and regions of (1 - p_t)^focus times the cross-entropy; (batch).

    Args:
        logits: (batch, region, z, y, x).
        region: 0 or 1 per voxel; (batch, region, z, y, x).
        focus: 0 is the cross-entropy itself.

    Reference: Lin et al. (2017), Focal loss for dense object detection, ICCV, equation 4.
    """
    loss = functional.binary_cross_entropy_with_logits(logits, region, reduction="none")
    if focus:
        loss = loss * (-torch.expm1(-loss)) ** focus  # exp(-loss) is p_t
    return loss.flatten(1).mean(dim=1)


def segmentation_penalty(
    logits: Tensor, label_map: Tensor, counts: Tensor, *, labels: Sequence[int] | None, voxel: str
) -> Tensor:
    """Return Dice loss plus a loss per voxel, 0 for subjects that do not count; (batch).

    Args:
        logits: Of the regions; (batch, region, z, y, x).
        label_map: (batch, z, y, x).
        counts: Who has both an image and a mask; bool (batch).
        labels: As in :func:`regions_of`.
        voxel: ``"none"``, ``"cross-entropy"`` or ``"focal"`` (with an exponent of 2).

    The maths is done in float32 at least: sums over millions of voxels are too much for less.
    """
    wide = torch.promote_types(logits.dtype, torch.float32)
    logits, region = logits.to(wide), regions_of(label_map, labels).to(wide)
    loss = dice_loss(logits.sigmoid(), region)
    if voxel != "none":
        loss = loss + voxel_loss(logits, region, focus=2.0 if voxel == "focal" else 0.0)
    return where_present(loss, counts)


def check_voxel_loss(name: str) -> None:
    """Refuse a loss per voxel that is none of those known."""
    if name not in get_args(VoxelLoss):
        raise ConfigError(
            f"voxel_loss must be one of {', '.join(get_args(VoxelLoss))}, not {name!r}"
        )


def check_labels(labels: Sequence[int] | None) -> None:
    """Refuse labels that are not distinct and positive."""
    if labels is not None and (not labels or min(labels) < 1 or len(set(labels)) < len(labels)):
        raise ConfigError(
            "labels must be distinct whole numbers from 1 on, or null for everything that is not "
            f"0, not {list(labels)}"
        )
