"""What an encoder makes of one subject's volume, checked and brought to the input's grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.errors import PluginError
from survkit.explaining.ask import ask
from survkit.explaining.token_grid import Axes, to_voxels
from survkit.explaining.volume_view import ShownRow
from survkit.protocols import Prepares, Sample
from survkit.showing import ShownVolume

Array = NDArray[Any]


def offered_rows(encoder: Any, sample: Sample, *, subject: str, device: str) -> list[ShownRow]:
    """Return a row per volume of an encoder, and one more per difference to the input.

    Args:
        encoder: Offers :class:`survkit.showing.ShowsVolumes`.
        sample: The subject's volume as it was read.
        subject: Its name.
        device: Where the encoder computes.

    Raises:
        PluginError: The encoder broke its contract.
    """
    _, *axes = sample.values.shape
    shape: Axes = (axes[0], axes[1], axes[2])
    found = _volumes(encoder, sample, subject, device)
    rows: list[ShownRow] = []
    for name, volume in found.items():
        values = _checked(volume, f"{type(encoder).__name__}.volumes", name, subject, shape)
        shown = to_voxels(values, shape)
        if volume.kind == "label":
            rows.append(ShownRow(name, "label", shown, _code_numbers(values, volume.classes)))
            continue
        rows.append(ShownRow(name, "intensity", shown))
        if values.shape == shape:
            given = sample.values[0].double().numpy()
            away = shown.astype(np.float64) - given
            numbers = error_numbers(away, given, sample.mask)
            rows.append(ShownRow(f"{name} minus input", "difference", away, numbers))
    return rows


def error_numbers(
    away: Array, given: Array, mask: torch.Tensor | None = None
) -> dict[str, float | None]:
    """Return mean squared error, peak signal-to-noise ratio and largest size of a difference to the
    input, and the mean squared error within a mask.

    The peak is the span of the input's intensities. The ratio is ``None`` where the error is zero
    (it would be infinite) or the input has one intensity.
    """
    error, span = float(np.square(away).mean()), float(np.ptp(given))
    ratio = None if error == 0 or span == 0 else float(10 * np.log10(span**2 / error))
    found = {
        "mean_squared_error": error,
        "peak_signal_to_noise_ratio": ratio,
        "largest": float(np.abs(away).max()),
    }
    if mask is not None and bool(mask.any()):
        found["mean_squared_error_in_mask"] = float(np.square(away[mask.numpy()]).mean())
    return found


def _code_numbers(labels: Array, classes: int | None) -> dict[str, float | None]:
    count = np.unique(labels, return_counts=True)[1]
    return {
        "labels_used": len(count),
        "labels": classes,
        "most_frequent_share": float(count.max() / labels.size),
    }


def _volumes(encoder: Any, sample: Sample, subject: str, device: str) -> Mapping[str, ShownVolume]:
    """Ask the encoder, on the device and back."""
    values = ask(encoder, "prepare", sample, subject=subject) if _prepares(encoder) else None
    given = sample.values if values is None else values
    weights = next(encoder.parameters(), None)
    dtype = given.dtype if weights is None else weights.dtype
    encoder.to(device)
    try:
        found = ask(encoder, "volumes", given[None].to(device, dtype), subject=subject)
    finally:
        encoder.cpu()
    if not isinstance(found, Mapping):
        raise PluginError(
            f"{type(encoder).__name__}.volumes must give a mapping of names to ShownVolume, not a "
            f"{type(found).__name__}; tell its authors"
        )
    return found


def _prepares(encoder: Any) -> bool:
    return isinstance(encoder, Prepares)


def _checked(volume: Any, method: str, name: str, subject: str, shape: Axes) -> Array:
    """Refuse what is not one volume of finite numbers on the input's grid or a coarser one."""
    where = f"{method} ('{name}', subject '{subject}')"
    if not isinstance(volume, ShownVolume) or volume.kind not in ("intensity", "label"):
        raise PluginError(f"{where} must give a ShownVolume, intensity or label; tell its authors")
    values = volume.values.detach().cpu()
    fits = values.ndim == 4 and len(values) == 1 and min(values.shape) > 0
    if not fits or any(np.greater(values.shape[1:], shape)):
        raise PluginError(
            f"{where} must give (1, z, y, x) of at most the input's {shape} voxels, not "
            f"{tuple(values.shape)}; tell its authors"
        )
    if volume.kind == "label":
        whole = not values.is_floating_point() and values.dtype != torch.bool
        beyond = volume.classes is not None and bool((values >= volume.classes).any())
        if not whole or bool((values < 0).any()) or beyond:
            raise PluginError(
                f"{where} must give whole numbers from 0, below its classes {volume.classes}, not "
                f"{values.dtype} from {values.min()} to {values.max()}; tell its authors"
            )
        return values[0].long().numpy()
    if not bool(values.isfinite().all()):
        raise PluginError(f"{where} must give finite numbers; tell its authors")
    return values[0].float().numpy()
