"""The micro-batches of one risk set, read when they are needed and again for a second pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol, overload

import torch

from survkit.flow import Batch, ModalityInput, to_device


class SubjectStore(Protocol):
    """Where prepared inputs and targets of subjects come from."""

    @property
    def in_memory(self) -> bool:
        """Whether a batch needs no reading."""

    def batch(self, rows: Sequence[int]) -> Batch:
        """Return the subjects at these positions of the cohort, in this order, on the CPU."""


class MicroBatches(Sequence[Batch]):
    """Batches by their rows; only the current one and the next are in memory.

    While the device computes, one thread reads the next micro-batch and starts its copy.

    Args:
        store: What is read.
        rows: Of each micro-batch.
        device: Where the batches go.
        dtype: Of their values.
        change: Applied to what was read, on the CPU; a pure function, since a micro-batch may be
            read twice.
    """

    def __init__(
        self,
        store: SubjectStore,
        rows: Sequence[Sequence[int]],
        *,
        device: torch.device,
        dtype: torch.dtype,
        change: Callable[[Batch], Batch] | None = None,
    ) -> None:
        self._store = store
        self._rows = rows
        self._device = device
        self._dtype = dtype
        self._change = change

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Batch: ...
    @overload
    def __getitem__(self, index: slice) -> MicroBatches: ...
    def __getitem__(self, index: int | slice) -> Batch | MicroBatches:
        if isinstance(index, slice):
            return MicroBatches(
                self._store,
                self._rows[index],
                device=self._device,
                dtype=self._dtype,
                change=self._change,
            )
        return self._move(self._read(index))

    def __iter__(self) -> Iterator[Batch]:
        if len(self) == 1 or (self._store.in_memory and self._change is None):
            yield from (self[index] for index in range(len(self)))
            return
        with ThreadPoolExecutor(max_workers=1) as reader:
            coming = reader.submit(self._read, 0)
            for index in range(len(self)):
                batch = coming.result()
                if index + 1 < len(self):
                    coming = reader.submit(self._read, index + 1)
                yield self._move(batch)

    def _read(self, index: int) -> Batch:
        batch = self._store.batch(self._rows[index])
        if self._change is not None:
            batch = self._change(batch)
        inputs = {name: _floating(value, self._dtype) for name, value in batch.inputs.items()}
        return replace(batch, inputs=inputs)

    def _move(self, batch: Batch) -> Batch:
        return batch if self._device.type == "cpu" else to_device(batch, self._device)


def _floating(value: ModalityInput, dtype: torch.dtype) -> ModalityInput:
    """Give inputs the precision of the weights, which is the user's choice (``64-true``)."""
    if value.values.dtype == dtype:
        return value
    return replace(value, values=value.values.to(dtype))
