"""One subject's modality after a corruption, held against what a corruption promises."""

from __future__ import annotations

from torch import Generator

from survkit.corruptions.modality_corruption import ModalityCorruption
from survkit.errors import PluginError
from survkit.protocols import Sample
from survkit.specs import InputKind


def corrupted_sample(
    part: ModalityCorruption, sample: Sample, *, kind: InputKind, generator: Generator
) -> Sample | None:
    """Return the sample after the corruption, ``None`` where the modality is gone.

    Raises:
        DataError: The corruption refuses the sample.
        PluginError: It gives values that no image, vector or table can have.
    """
    after = part.corruption(sample, generator=generator)
    if after is not None:
        _check(after, sample, part, empty_cells=kind == "table")
    return after


def _check(after: Sample, before: Sample, part: ModalityCorruption, *, empty_cells: bool) -> None:
    """Refuse what no reader could have given; the conformance kit tests the same."""
    values = after.values
    form = (values.shape, values.dtype) == (before.values.shape, before.values.dtype)
    usable = values.isfinite() | values.isnan() if empty_cells else values.isfinite()
    if not form or not bool(usable.all()):
        raise PluginError(
            f"corruption {part.label} made {tuple(values.shape)} {values.dtype} of "
            f"{tuple(before.values.shape)} {before.values.dtype}, or values that are not finite; "
            "it must keep the form: tell its authors"
        )
