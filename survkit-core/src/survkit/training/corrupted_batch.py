"""Training subjects as a step sees them, some of them corrupted.

Which, and how, is a function of seed, epoch, the subject's row and the place in the recipe's list.
So both passes over a micro-batch see the same values, and so do a resumed run and any other size of
the micro-batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from survkit.corruptions.corrupted_sample import corrupted_sample
from survkit.flow import Batch, ModalityInput
from survkit.protocols import Sample
from survkit.training.training_corruptions import TrainingCorruption

NOISE = 2**32 - 2
"""Ends the numbers that seed a draw, so that they are those of no step."""


@dataclass(frozen=True, slots=True)
class Corrupting:
    """The corruptions of one epoch.

    Attributes:
        corruptions: In the order of the recipe.
        seed: Numbers that together name the epoch: (seed, …, epoch).
    """

    corruptions: Sequence[TrainingCorruption]
    seed: tuple[int, ...]

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch (on the CPU) with new values where a subject met a corruption.

        Rows that met none keep every bit. A subject to whom no modality would be left keeps all
        that it has.
        """
        changed: dict[str, dict[int, Sample | None]] = {}
        with torch.no_grad():
            for place, row in enumerate(batch.row.tolist()):
                for modality, sample in self._subject(batch, place, int(row)).items():
                    changed.setdefault(modality, {})[place] = sample
        inputs = dict(batch.inputs)
        for modality, samples in changed.items():
            inputs[modality] = _with(inputs[modality], samples)
        return replace(batch, inputs=inputs)

    def _subject(self, batch: Batch, place: int, row: int) -> Mapping[str, Sample | None]:
        """Return what one subject's modalities have become, those that were met, for each of
        their readers.
        """
        after: dict[str, Sample] = {}
        lost: set[str] = set()
        present = {name for name, given in batch.inputs.items() if bool(given.present[place])}
        readers = {one.part.modality: one.readers for one in self.corruptions}
        for number, one in enumerate(self.corruptions):
            modality = one.part.modality
            if not present.intersection(one.readers):
                continue
            generator = _generator(*self.seed, row, number)
            if float(torch.rand((), generator=generator)) >= one.probability:
                continue
            before = after.get(modality) or _sample(batch.inputs[one.readers[0]], place, one)
            found = corrupted_sample(one.part, before, kind=one.spec.kind, generator=generator)
            if found is None:
                lost.add(modality)
            else:
                after[modality] = found
        if present <= {name for modality in lost for name in readers[modality]}:
            lost = set()
        met: dict[str, Sample | None] = {**after, **dict.fromkeys(lost)}
        return {name: found for modality, found in met.items() for name in readers[modality]}


def _generator(*numbers: int) -> torch.Generator:
    """Return a source of randomness of its own for a subject's draw."""
    (word,) = np.random.SeedSequence([*numbers, NOISE]).generate_state(1)
    return torch.Generator().manual_seed(int(word))


def _sample(given: ModalityInput, place: int, one: TrainingCorruption) -> Sample:
    """Return a subject's modality as the store has it, without padded tokens."""
    values = given.values[place]
    if given.token_mask is not None:
        values = values[given.token_mask[place]]
    return replace(one.known, values=values)


def _with(given: ModalityInput, samples: Mapping[int, Sample | None]) -> ModalityInput:
    """Return the modality with some subjects' values replaced, or gone."""
    values = given.values.clone()
    gone = [place for place, sample in samples.items() if sample is None]
    for place, sample in samples.items():
        if sample is None:
            values[place] = 0
        elif given.token_mask is None:
            values[place] = sample.values
        else:
            values[place, given.token_mask[place]] = sample.values
    if not gone:
        return replace(given, values=values)
    present, mask = given.present.clone(), given.token_mask
    present[gone] = False
    if mask is not None:
        mask = mask.clone()
        mask[gone] = False
    return ModalityInput(values, present, mask, complete=False)
