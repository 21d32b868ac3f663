"""A batch of one modality with every subject corrupted, as its encoder receives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from survkit.data import Cohort
from survkit.data.cache import to_numpy
from survkit.data.cohort_config import ImagingModality
from survkit.data.load import is_ragged, stack
from survkit.errors import PluginError
from survkit.flow import ModalityInput
from survkit.protocols import Prepares, Sample
from survkit.specs import InputSpec
from survkit.stress.chance import generator_for
from survkit.stress.scenario import Scenario

WINDOWED = (-1.0, 1.0)
"""What a declared window is mapped to by the readers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanBatch:
    """What is known of one modality of a batch before anything is corrupted.

    Attributes:
        subjects: Identifiers.
        samples: As the reader gives them, with range and columns; ``None`` where missing.
        input: What the clean prediction was made from.
        spec: What the encoder was built for.
        encoder: It prepares, where it does.
        alone: Whether a subject has no other modality that the model takes; bool (batch).
    """

    subjects: Sequence[str]
    samples: Sequence[Sample | None]
    input: ModalityInput
    spec: InputSpec
    encoder: Any
    alone: Tensor


@dataclass(frozen=True, slots=True)
class Corrupted:
    """A corrupted batch.

    Attributes:
        input: What the encoder is given.
        gone: Rows from which the corruption took the modality.
        kept: Rows from which it would have, but they have no other; they stay as they were.
    """

    input: ModalityInput
    gone: int
    kept: int


def read_samples(
    cohort: Cohort, modality: str, rows: Sequence[int], spec: InputSpec
) -> list[Sample | None]:
    """Read one modality of some subjects, and say what the cohort declares about its values."""
    settings = cohort.config.modality(modality, source=cohort.source)
    windowed = isinstance(settings, ImagingModality) and settings.window is not None
    known: Mapping[str, Any] = {
        "intensity_range": WINDOWED if windowed else None,
        "columns": spec.columns,
    }
    samples = (cohort.read_sample(modality, row, spec) for row in rows)
    return [None if sample is None else replace(sample, **known) for sample in samples]


def corrupt(batch: CleanBatch, scenario: Scenario, seed: int) -> Corrupted:
    """Corrupt every subject of the batch that has the modality.

    Raises:
        DataError: The corruption refuses a sample.
        PluginError: It gives values that no image, vector or table can have.
    """
    arrays: list[Any] = []
    gone = kept = 0
    for row, (subject, sample) in enumerate(zip(batch.subjects, batch.samples, strict=True)):
        after = sample
        if sample is not None:
            generator = generator_for(scenario, subject, seed)
            after = scenario.corruption(sample, generator=generator)
            if after is None and bool(batch.alone[row]):
                kept, after = kept + 1, sample
            elif after is None:
                gone += 1
            else:
                _check(after, sample, scenario, empty_cells=batch.spec.kind == "table")
        arrays.append(None if after is None else to_numpy(_prepared(after, batch.encoder)))
    if all(array is None for array in arrays):
        nobody = torch.zeros_like(batch.input.present)
        return Corrupted(replace(batch.input, present=nobody, complete=False), gone, kept)
    ragged = batch.input.token_mask is not None or is_ragged(arrays, batch.spec)
    joined = stack(arrays, ragged=ragged, shape=None, name=scenario.modality)
    return Corrupted(joined, gone, kept)


def _prepared(sample: Sample, encoder: Any) -> Tensor:
    if not isinstance(encoder, Prepares):
        return sample.values
    with torch.no_grad():
        return encoder.prepare(sample)


def _check(after: Sample, before: Sample, scenario: Scenario, *, empty_cells: bool) -> None:
    """Refuse what no reader could have given; the conformance kit tests the same."""
    values = after.values
    form = (values.shape, values.dtype) == (before.values.shape, before.values.dtype)
    usable = values.isfinite() | values.isnan() if empty_cells else values.isfinite()
    if not form or not bool(usable.all()):
        raise PluginError(
            f"corruption {scenario.label} made {tuple(values.shape)} {values.dtype} of "
            f"{tuple(before.values.shape)} {before.values.dtype}, or values that are not finite; "
            "it must keep the form: tell its authors"
        )
