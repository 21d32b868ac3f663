"""What an encoder offers that some values are no use to, whoever estimated its state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from survkit.flow import ModalityInput


@runtime_checkable
class ChecksBatches(Protocol):
    """An encoder that looks at the training subjects' inputs also where it estimates nothing."""

    def check_batches(self, batches: Iterable[ModalityInput]) -> None:
        """Refuse what cannot be used of present training subjects, in micro-batches; the engine
        calls this once, before training, in place of ``fit`` and ``fit_batches`` where the state
        came with trained weights. Nothing is changed.

        Raises:
            DataError: Such values, and what to do.
        """
