"""Volumes with what a model made of them: reconstructions, codes, attention on the voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.explaining.looked import Looked
from survkit.explaining.offered_volumes import offered_rows
from survkit.explaining.subject_view import SubjectView
from survkit.explaining.token_grid import (
    Axes,
    central_voxel,
    grid_over_volume,
    mask_share,
    to_voxels,
)
from survkit.explaining.volume_view import ShownRow, VolumeView, Whom
from survkit.protocols import Sample
from survkit.showing import ShowsTokens, ShowsVolumes

Floats = NDArray[np.float64]
_Map = tuple[str, Axes, Floats]
"""Name, grid, and weight of every cell."""


def volume_view(
    looked: Looked,
    place: int,
    modality: str,
    sample: Sample,
    *,
    whom: Whom,
    tokens: SubjectView | None,
    device: str,
) -> VolumeView | None:
    """Return a subject's volume with what there is to show of it; ``None`` where there is nothing.

    Args:
        looked: What the model gave for some subjects.
        place: Which of them.
        modality: Which modality.
        sample: What was read of it.
        whom: Its name, and what is told of it.
        tokens: The attention over the modality's tokens, where the model attends.
        device: Where the encoder computes.

    Raises:
        PluginError: The encoder broke its contract.
    """
    fitted = looked.part.fitted
    encoder: Any = fitted.members[0].encoders[modality]
    maps = _attention_maps(looked, place, modality, tokens)
    offered: list[ShownRow] = []
    if isinstance(encoder, ShowsVolumes) and fitted.description.inputs[modality].kind == "volume":
        offered = offered_rows(encoder, sample, subject=whom.subject, device=device)
    if not maps and not offered:
        return None
    given = sample.values[0].float().numpy()
    mask = None if sample.mask is None or not sample.mask.any() else sample.mask.numpy()
    centre, centre_is = _centre(mask, maps, given.shape)
    attention = [_attention_row(each, mask, given.shape) for each in maps]
    return VolumeView(
        subject=whom.subject,
        why=whom.why,
        modality=modality,
        rows=(ShownRow("input", "intensity", given), *offered, *attention),
        spacing=_spacing(sample),
        mask=mask,
        centre=centre,
        centre_is=centre_is,
        members=len(fitted.members),
        tokens=tokens,
        course=whom.course,
    )


def _attention_maps(
    looked: Looked, place: int, modality: str, tokens: SubjectView | None
) -> list[_Map]:
    """Return the maps of attention on the volume: those between modalities, then that of the
    fusion over tokens, which is left out where it is one of them.
    """
    encoder: Any = looked.part.fitted.members[0].encoders[modality]
    grid = grid_over_volume(encoder, looked.part.fitted.description.inputs[modality])
    if grid is None:
        return []
    maps: list[_Map] = []
    for (looks, seen), received in looked.crossed.items():
        weight = received.subjects[place]
        if seen == modality and weight is not None:
            maps.append((f"attention {looks} → {seen}", received.grid, weight))
    if tokens is None or len(tokens.weight) != np.prod(grid) or isinstance(encoder, ShowsTokens):
        return maps
    own = tokens.weight.reshape(grid) * len(tokens.weight)
    said = (to_voxels(weight.reshape(cut), grid) * weight.size for _, cut, weight in maps)
    if not any(np.allclose(own, each, rtol=1e-3, atol=1e-3) for each in said):
        maps.append(("attention", grid, tokens.weight))
    return maps


def _attention_row(found: _Map, mask: NDArray[np.bool_] | None, shape: Any) -> ShownRow:
    """Return attention on the voxels as a multiple of equal weights, with the mask's share."""
    name, grid, weight = found
    relative = to_voxels(weight.reshape(grid) * weight.size, shape)
    numbers: dict[str, float | None] = {
        "highest": float(relative.max()),
        "blocks": float(weight.size),
    }
    if mask is not None:
        numbers["inside_mask"] = float((weight * mask_share(mask, grid)).sum())
        numbers["volume_of_mask"] = float(mask.mean())
    return ShownRow(name, "attention", relative, numbers)


def _centre(mask: NDArray[np.bool_] | None, maps: list[_Map], shape: Any) -> tuple[Axes, str]:
    """Return the voxel through which slices are cut, and why that one."""
    if mask is not None:
        inside = np.argwhere(mask)
        nearest = inside[np.square(inside - inside.mean(axis=0)).sum(axis=1).argmin()]
        z, y, x = (int(each) for each in nearest)
        return (z, y, x), "the middle of the region of interest"
    for name, grid, weight in maps:
        if np.ptp(weight) > 1e-6 * weight.max():
            return central_voxel(int(weight.argmax()), grid, shape), f"most {name}"
    z, y, x = (length // 2 for length in shape)
    return (z, y, x), "the middle of the volume"


def _spacing(sample: Sample) -> tuple[float, float, float] | None:
    if sample.spacing is None:
        return None
    z, y, x = sample.spacing
    return z, y, x
