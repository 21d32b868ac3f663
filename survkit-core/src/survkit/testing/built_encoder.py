"""An encoder under test, and what it is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import torch

from survkit.flow import ModalityInput
from survkit.protocols import FitsBatches, FitsInput, Prepares, PreparesExample, Sample
from survkit.specs import InputSpec
from survkit.testing.batches import random_input
from survkit.testing.kit import Kit


class BuiltEncoder(Kit):
    """Builds the encoder of a subclass, and subjects for it."""

    input: ClassVar[InputSpec]
    """What the encoder is built for."""
    missing: ClassVar[float] = 0.0
    """Share of missing values in the tables it is tested with."""
    subjects: ClassVar[int] = 4
    sample: ClassVar[Sample | None] = None
    """What ``prepare`` is tried on; needed where it cannot run on random values."""

    def build(self, seed: int = 0, *, fitted: bool = True) -> Any:
        """Return the encoder in eval mode, fitted on random subjects where it needs that."""
        torch.manual_seed(seed)
        encoder = type(self).component(self.input, **self.settings)
        if fitted and isinstance(encoder, FitsInput):
            encoder.fit(self.batch(encoder, seed=100, subjects=24))
        if fitted and isinstance(encoder, FitsBatches):
            encoder.fit_batches([self.batch(encoder, seed=100, subjects=24)])
        return encoder.eval()

    def batch(self, encoder: Any, *, seed: int = 1, subjects: int | None = None) -> ModalityInput:
        """Return random subjects, prepared where the encoder prepares."""
        count = subjects or self.subjects
        if isinstance(encoder, PreparesExample):
            generator = torch.Generator().manual_seed(seed)
            rows = [encoder.prepared_example(generator=generator) for _ in range(count)]
            return ModalityInput(torch.stack(rows), torch.ones(count, dtype=torch.bool))
        given = random_input(self.input, count, seed=seed, missing=self.missing)
        if not isinstance(encoder, Prepares):
            return given
        rows = [
            encoder.prepare(Sample(values=row, spacing=self.input.spacing)) for row in given.values
        ]
        return replace(given, values=torch.stack(rows))

    def given_sample(self, encoder: Any) -> Sample:
        """Return the sample of the class, or a random one."""
        if self.sample is not None:
            return self.sample
        assert not isinstance(encoder, PreparesExample), "give a sample"
        values = random_input(self.input, 1, seed=1).values[0]
        return Sample(values=values, spacing=self.input.spacing)
