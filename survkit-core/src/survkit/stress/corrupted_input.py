"""A batch with every subject corrupted, as the encoders of the corrupted modalities receive it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from survkit.corruptions.corrupted_sample import corrupted_sample
from survkit.corruptions.modality_corruption import ModalityCorruption
from survkit.data import Cohort
from survkit.data.cache import to_numpy
from survkit.data.declared import declared_range
from survkit.data.load import is_ragged, stack
from survkit.flow import ModalityInput
from survkit.protocols import Prepares, Sample
from survkit.specs import InputSpec
from survkit.stress.chance import generator_for
from survkit.stress.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Reader:
    """An encoder that reads a modality.

    Attributes:
        encoder: It prepares, where it does.
        input: What it was given for the clean prediction.
    """

    encoder: Any
    input: ModalityInput


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanBatch:
    """What is known of one modality of a batch before anything is corrupted.

    Attributes:
        subjects: Identifiers.
        samples: As they are read, with range and columns; ``None`` where missing.
        spec: What the encoders that read the modality were built for.
        readers: These encoders by name.
    """

    subjects: Sequence[str]
    samples: Sequence[Sample | None]
    spec: InputSpec
    readers: Mapping[str, Reader]


@dataclass(frozen=True, slots=True)
class Corrupted:
    """A corrupted batch.

    Attributes:
        inputs: What the encoders of the corrupted modalities are given, by encoder.
        reached: Rows that were corrupted in some modality.
        kept: Rows to which no modality would have been left; they stay as they were.
    """

    inputs: Mapping[str, ModalityInput]
    reached: int
    kept: int


def read_samples(
    cohort: Cohort, modality: str, rows: Sequence[int], spec: InputSpec
) -> list[Sample | None]:
    """Read one modality of some subjects, and say what the cohort declares about its values."""
    known: Mapping[str, Any] = {
        "intensity_range": declared_range(cohort, modality),
        "columns": spec.columns,
    }
    samples = (cohort.read_sample(modality, row, spec) for row in rows)
    return [None if sample is None else replace(sample, **known) for sample in samples]


def corrupt(
    scenario: Scenario, batches: Mapping[str, CleanBatch], elsewhere: Tensor, seed: int
) -> Corrupted:
    """Corrupt every subject of the batch in all modalities of the scenario that they have.

    Args:
        scenario: What is done.
        batches: The same subjects, by modality of the scenario.
        elsewhere: Whether a subject has a modality that the scenario leaves alone; bool (batch).
        seed: Decides the random numbers.

    Raises:
        DataError: A corruption refuses a sample.
        PluginError: It gives values that no image, vector or table can have.
    """
    after = {part.modality: _samples(part, batches[part.modality], seed) for part in scenario.parts}
    reached = kept = 0
    for row, others in enumerate(elsewhere.tolist()):
        had = any(batches[name].samples[row] is not None for name in after)
        if had and not others and all(samples[row] is None for samples in after.values()):
            kept += 1
            for name, samples in after.items():
                samples[row] = batches[name].samples[row]
        elif had:
            reached += 1
    inputs = {
        name: _joined(modality, samples, batches[modality].spec, reader)
        for modality, samples in after.items()
        for name, reader in batches[modality].readers.items()
    }
    return Corrupted(inputs, reached, kept)


def _samples(part: ModalityCorruption, batch: CleanBatch, seed: int) -> list[Sample | None]:
    """Return the samples of one modality after its corruption; ``None`` where it is missing."""
    found: list[Sample | None] = []
    for subject, sample in zip(batch.subjects, batch.samples, strict=True):
        after = sample
        if sample is not None:
            generator = generator_for(part, subject, seed)
            after = corrupted_sample(part, sample, kind=batch.spec.kind, generator=generator)
        found.append(after)
    return found


def _joined(
    modality: str, samples: Sequence[Sample | None], spec: InputSpec, reader: Reader
) -> ModalityInput:
    """Return what the encoder is given, prepared and stacked as the clean input was."""
    arrays: list[Any] = [
        None if sample is None else to_numpy(_prepared(sample, reader.encoder))
        for sample in samples
    ]
    if all(array is None for array in arrays):
        nobody = torch.zeros_like(reader.input.present)
        return replace(reader.input, present=nobody, complete=False)
    ragged = reader.input.token_mask is not None or is_ragged(arrays, spec)
    return stack(arrays, ragged=ragged, shape=None, name=modality)


def _prepared(sample: Sample, encoder: Any) -> Tensor:
    if not isinstance(encoder, Prepares):
        return sample.values
    with torch.no_grad():
        return encoder.prepare(sample)
