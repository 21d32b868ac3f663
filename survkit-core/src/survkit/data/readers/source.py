"""What every kind of modality offers the cohort."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from survkit.protocols import Sample
from survkit.specs import InputSpec

Rows = NDArray[np.int64]
Source = TypeVar("Source", bound="ModalitySource")


class ModalitySource(Protocol):
    """One modality of all subjects, aligned with the cohort's rows."""

    @property
    def available(self) -> NDArray[np.bool_]:
        """Which subjects have the modality; (subject)."""

    def spec(self, rows: Rows) -> InputSpec:
        """Return what an encoder is given, learnt from the given (training) rows alone."""

    def read(self, row: int, spec: InputSpec) -> Sample | None:
        """Return one subject's data, ``None`` where the modality is missing."""

    def take(self: Source, rows: Rows) -> Source:
        """Return the modality of the given rows."""

    def identity(self, row: int) -> bytes:
        """Return bytes that change whenever what :meth:`read` gives for the row could change."""

    def stamp(self) -> bytes:
        """Return a quick digest of all rows: contents of tables, sizes of image files."""
