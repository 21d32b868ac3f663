"""Batches of subjects from memory where they fit, else from memory-mapped files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from survkit.data.cache import CacheEntry, PreparationCache
from survkit.data.cohort import Cohort, Rows
from survkit.data.load import Progress, is_cached, is_ragged, prepare_rows, read_modality, stack
from survkit.errors import DataError
from survkit.flow import Batch, ModalityInput, SurvivalTarget, map_tensors
from survkit.protocols import Prepares
from survkit.specs import InputSpec

GIBIBYTE = 2**30


class _Shelf(Protocol):
    """One modality of the store's subjects."""

    def take(self, places: NDArray[np.int64]) -> ModalityInput:
        """Return the subjects at these places of the store."""

    def to(self, device: torch.device) -> _Shelf:
        """Return the modality with its tensors, if it holds any, on a device."""


@dataclass(frozen=True, slots=True)
class _InMemory:
    """All subjects in one tensor; presence and numbers of tokens are known on the host."""

    input: ModalityInput
    present: NDArray[np.bool_]
    lengths: NDArray[np.int64] | None

    def take(self, places: NDArray[np.int64]) -> ModalityInput:
        """Index the tensor; tokens beyond the longest subject of the batch are left out."""
        index = torch.from_numpy(places).to(self.input.values.device)
        values, mask = self.input.values[index], None
        if self.lengths is not None and self.input.token_mask is not None:
            longest = max(int(self.lengths[places].max(initial=1)), 1)
            values, mask = values[:, :longest], self.input.token_mask[index][:, :longest]
        complete = bool(self.present[places].all())
        return ModalityInput(values, self.input.present[index], mask, complete)

    def to(self, device: torch.device) -> _InMemory:
        """Return the modality on a device."""
        return replace(self, input=map_tensors(self.input, lambda tensor: tensor.to(device)))


@dataclass(frozen=True, slots=True)
class _OnDisk:
    """One memory-mapped file per subject."""

    entries: tuple[CacheEntry | None, ...]
    ragged: bool
    name: str

    def take(self, places: NDArray[np.int64]) -> ModalityInput:
        """Read the subjects of the batch."""
        chosen = [self.entries[place] for place in places]
        example = next(entry for entry in self.entries if entry is not None)
        return stack(
            [None if entry is None else entry.open() for entry in chosen],
            ragged=self.ragged,
            shape=example.shape[1:] if self.ragged else example.shape,
            name=self.name,
        )

    def to(self, device: torch.device) -> _OnDisk:
        """Stay on disk."""
        return self


@dataclass(frozen=True, slots=True, eq=False)
class SubjectStore:
    """Subjects of a cohort, ready to be batched in any order.

    It is also a map-style dataset: ``store[i]`` is a batch of the i-th subject, and a
    ``DataLoader`` with ``collate_fn=SubjectStore.whole`` asks for whole batches at once.

    Attributes:
        rows: Positions in the cohort; int64 (subject).
        in_memory: Whether every modality is held in memory, so that no loader is needed.
    """

    rows: Tensor
    in_memory: bool
    target: SurvivalTarget | None
    shelves: Mapping[str, _Shelf]
    place: Mapping[int, int]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Batch:
        return self._at(np.array([range(len(self))[index]], dtype=np.int64))

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        return self._at(np.array([range(len(self))[index] for index in indices], dtype=np.int64))

    @staticmethod
    def whole(batch: Batch) -> Batch:
        """Return the batch that ``__getitems__`` has made: the ``collate_fn`` of a loader."""
        return batch

    def batch(self, rows: Rows) -> Batch:
        """Return the subjects at these positions of the cohort, in their order.

        Raises:
            DataError: A position that the store does not hold.
        """
        asked = rows.tolist() if isinstance(rows, Tensor) else list(rows)
        for row in asked:
            if int(row) not in self.place:
                raise DataError(f"row {row} is not among the {len(self)} subjects of this store")
        return self._at(np.array([self.place[int(row)] for row in asked], dtype=np.int64))

    def inputs(
        self, rows: Rows, *, only: Collection[str] | None = None
    ) -> Mapping[str, ModalityInput]:
        """Return the modalities alone (``only`` some of them), outcomes known or not."""
        asked = rows.tolist() if isinstance(rows, Tensor) else list(rows)
        places = np.array([self.place[int(row)] for row in asked], dtype=np.int64)
        wanted = self.shelves if only is None else {name: self.shelves[name] for name in only}
        return {name: shelf.take(places) for name, shelf in wanted.items()}

    def to(self, device: torch.device | str) -> SubjectStore:
        """Return the store with what it holds in memory on a device; batches are made there."""
        place = torch.device(device)
        target = self.target
        return replace(
            self,
            target=None if target is None else map_tensors(target, lambda tensor: tensor.to(place)),
            shelves={name: shelf.to(place) for name, shelf in self.shelves.items()},
        )

    def _at(self, places: NDArray[np.int64]) -> Batch:
        if self.target is None:
            raise DataError("the cohort was read without its outcome; ask for inputs instead")
        index = torch.from_numpy(places)
        return Batch(
            inputs={name: shelf.take(places) for name, shelf in self.shelves.items()},
            target=map_tensors(self.target, lambda tensor: tensor[index.to(tensor.device)]),
            row=self.rows[index],
        )


def store_for(
    cohort: Cohort,
    rows: Rows,
    specs: Mapping[str, InputSpec],
    *,
    encoders: Mapping[str, object] | None = None,
    cache: PreparationCache | None = None,
    memory_limit: int = 4 * GIBIBYTE,
    progress: Progress | None = None,
) -> SubjectStore:
    """Read and prepare subjects for batching.

    Args:
        cohort: The cohort.
        rows: Which subjects.
        specs: By modality; modalities that are not named are not read.
        encoders: By modality; those with a ``prepare`` run it, once per subject.
        cache: Where prepared images are kept between runs, and read from if they do not fit in
            memory.
        memory_limit: Bytes that all modalities together may take in memory.
        progress: Told after every subject and modality of images.

    Raises:
        DataError: A file is wrong, or the images need more memory than allowed and there is no
            cache.
    """
    positions = cohort.positions(rows)
    shelves: dict[str, _Shelf] = {}
    left = memory_limit
    tell = _counting(progress, len(positions), specs, encoders or {})
    for name, spec in specs.items():
        encoder = (encoders or {}).get(name)
        if is_cached(spec, encoder):
            shelves[name], used = _imaging_shelf(
                cohort.subset(positions), name, spec, encoder, _Room(cache, left, tell)
            )
        else:
            whole = read_modality(cohort, name, positions, spec)
            shelves[name], used = _held(whole), whole.values.nbytes
        left -= used
    return SubjectStore(
        rows=torch.from_numpy(positions),
        in_memory=all(isinstance(shelf, _InMemory) for shelf in shelves.values()),
        target=None if cohort.outcome is None else cohort.target(positions),
        shelves=shelves,
        place={int(row): place for place, row in enumerate(positions)},
    )


@dataclass(frozen=True, slots=True)
class _Room:
    """Where prepared arrays may go."""

    cache: PreparationCache | None
    memory: int
    tell: Callable[[], None]


def _counting(
    progress: Progress | None,
    subjects: int,
    specs: Mapping[str, InputSpec],
    encoders: Mapping[str, object],
) -> Callable[[], None]:
    """Return what counts one array more, over all modalities that are read one by one."""
    total = subjects * sum(is_cached(spec, encoders.get(name)) for name, spec in specs.items())
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return tell


def _imaging_shelf(
    cohort: Cohort, name: str, spec: InputSpec, encoder: object | None, room: _Room
) -> tuple[_Shelf, int]:
    """Return the shelf and the memory that it takes."""
    results: list[Any] = []
    needed = 0
    for result in prepare_rows(
        cohort, name, range(len(cohort)), spec, encoder=encoder, cache=room.cache, jobs=1
    ):
        results.append(result)
        room.tell()
        needed += 0 if result is None else result.nbytes
        if room.cache is None:
            _refuse_too_much(needed, room, f"modality '{name}', {len(results)} subjects")
    there = [result for result in results if result is not None]
    if not there and isinstance(encoder, Prepares):
        raise DataError(f"none of {len(cohort)} subjects has the modality '{name}'")
    ragged = is_ragged(results, spec)
    longest = max((result.shape[0] for result in there), default=1)
    padded = sum(r.nbytes // max(r.shape[0], 1) * longest for r in there) if ragged else needed
    if room.cache is None:
        _refuse_too_much(padded, room, f"modality '{name}', padded to {longest} tokens")
    elif there and padded > room.memory:
        return _OnDisk(tuple(results), ragged, name), 0
    arrays = [result.open() if isinstance(result, CacheEntry) else result for result in results]
    whole = stack(arrays, ragged=ragged, shape=spec.shape, name=name)
    return _held(whole), whole.values.nbytes


def _refuse_too_much(needed: int, room: _Room, what: str) -> None:
    if needed > room.memory:
        raise DataError(
            f"{what}: {needed / GIBIBYTE:.2f} GiB of memory are needed, but "
            f"{max(room.memory, 0) / GIBIBYTE:.2f} are left of what is allowed; give a cache "
            "folder (--cache), so that the arrays can stay on disk"
        )


def _held(whole: ModalityInput) -> _InMemory:
    mask = whole.token_mask
    lengths = None if mask is None else mask.sum(dim=1).numpy()
    return _InMemory(whole, whole.present.numpy(), lengths)
