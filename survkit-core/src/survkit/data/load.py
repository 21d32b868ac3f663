"""Subjects of one modality as tensors: read, prepared by the encoder if it can, cached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from survkit.data.cache import CacheEntry, PreparationCache, preparation_key, to_numpy
from survkit.data.cohort import Cohort, Rows
from survkit.data.jobs import check_jobs
from survkit.data.readers.source import ModalitySource
from survkit.data.readers.table import TableSource
from survkit.errors import DataError, PluginError
from survkit.flow import ModalityInput
from survkit.protocols import Prepares, Sample
from survkit.specs import InputSpec
from survkit.worker_processes import in_processes

Progress = Callable[[int, int], None]
"""Called with how many subjects are done, and of how many."""

Prepared = NDArray[Any] | CacheEntry | None
CHUNKS_PER_JOB = 8


@dataclass(frozen=True, slots=True)
class _Work:
    """What a worker needs to prepare subjects; sent once per chunk: encoders are large."""

    source: ModalitySource
    subjects: tuple[str, ...]
    spec: InputSpec
    encoder: Any
    cache: PreparationCache | None

    def run(self, row: int) -> Prepared:
        """Return one prepared subject: the array, or its entry in the cache."""
        if not self.source.available[row]:
            return None
        if self.cache is None or not is_cached(self.spec, self.encoder):
            return to_numpy(self._make(row))
        key = preparation_key(self.source, row, self.spec, self.encoder)
        return self.cache.fill(key, lambda: self._make(row))

    def _make(self, row: int) -> Tensor:
        sample = self.source.read(row, self.spec)
        if sample is None:
            raise DataError(f"subject '{self.subjects[row]}' has no such modality")
        if not isinstance(self.encoder, Prepares):
            _check_shape(sample, self.spec, self.subjects[row])
            return sample.values
        with torch.no_grad():
            values = self.encoder.prepare(sample)
        _check_prepared(values, self.encoder, self.spec, self.subjects[row])
        return values


def is_cached(spec: InputSpec, encoder: object | None) -> bool:
    """Whether a modality is worth a file per subject: images, and whatever an encoder prepares."""
    return spec.kind in ("image", "volume") or isinstance(encoder, Prepares)


def prepare_rows(
    cohort: Cohort,
    modality: str,
    rows: Rows,
    spec: InputSpec,
    *,
    encoder: object | None,
    cache: PreparationCache | None,
    jobs: int,
) -> Iterator[Prepared]:
    """Yield the prepared rows in order: an array, an entry of the cache, ``None`` if missing."""
    positions = cohort.positions(rows)
    everything = _Work(cohort.source_of(modality), cohort.subjects, spec, encoder, cache)
    if jobs == 1:
        yield from (everything.run(int(row)) for row in positions)
        return

    chunks = np.array_split(positions, min(len(positions), abs(jobs) * CHUNKS_PER_JOB) or 1)
    work = (
        _Work(
            everything.source.take(chunk),
            tuple(cohort.subjects[row] for row in chunk),
            spec,
            encoder,
            cache,
        )
        for chunk in chunks
    )
    calls = ((part,) for part in work)
    for chunk in in_processes(_run_all, calls, jobs=jobs, tasks=len(chunks)):
        yield from chunk


def fill_cache(
    cohort: Cohort,
    rows: Rows,
    specs: Mapping[str, InputSpec],
    *,
    encoders: Mapping[str, object],
    cache: PreparationCache,
    jobs: int = 1,
    progress: Progress | None = None,
) -> int:
    """Prepare all that is worth caching ahead of training.

    Args:
        cohort: The cohort.
        rows: Which subjects.
        specs: By modality; others are left alone.
        encoders: By modality; those with a ``prepare`` run it.
        cache: Where to put it.
        jobs: Worker processes; -1 for one per core.
        progress: Told after every subject and modality.

    Returns:
        How many arrays are in the cache for these subjects.
    """
    check_jobs(jobs)
    wanted = [name for name, spec in specs.items() if is_cached(spec, encoders.get(name))]
    total, done, held = len(wanted) * len(cohort.positions(rows)), 0, 0
    for name in wanted:
        encoder = encoders.get(name)
        for result in prepare_rows(
            cohort, name, rows, specs[name], encoder=encoder, cache=cache, jobs=jobs
        ):
            done, held = done + 1, held + (result is not None)
            if progress is not None:
                progress(done, total)
    return held


def read_modality(
    cohort: Cohort,
    modality: str,
    rows: Rows,
    spec: InputSpec,
    *,
    encoder: object | None = None,
    cache: PreparationCache | None = None,
    jobs: int = 1,
) -> ModalityInput:
    """Return one modality of all given rows as one tensor.

    Numbers of tables and vectors are float64 in the files and float32 here; images are float32.
    Where the encoder offers ``prepare``, the values are what that gives. Subjects without the
    modality hold zeros; a varying number
    of tokens is padded with zeros under a token mask.

    Raises:
        DataError: A file is wrong, shapes differ, or nobody has a modality whose prepared shape is
            therefore unknown.
        PluginError: The encoder's ``prepare`` gave something that is not a finite float tensor.
    """
    source = cohort.source_of(modality)
    if isinstance(source, TableSource) and not isinstance(encoder, Prepares):
        positions = cohort.positions(rows)
        present = source.available[positions]
        values = np.where(present[:, None], source.block(positions, spec), np.float32(0))
        return ModalityInput(
            torch.from_numpy(values), torch.from_numpy(present), complete=bool(present.all())
        )
    results = prepare_rows(cohort, modality, rows, spec, encoder=encoder, cache=cache, jobs=jobs)
    arrays = [entry.open() if isinstance(entry, CacheEntry) else entry for entry in results]
    shape = None if isinstance(encoder, Prepares) else spec.shape
    return stack(arrays, ragged=is_ragged(arrays, spec), shape=shape, name=modality)


def is_ragged(arrays: Sequence[Any], spec: InputSpec) -> bool:
    """Whether subjects hold varying numbers of tokens along their first axis."""
    return spec.has_tokens or len({array.shape[:1] for array in arrays if array is not None}) > 1


def stack(
    arrays: Sequence[NDArray[Any] | None],
    *,
    ragged: bool,
    shape: tuple[int, ...] | None,
    name: str,
) -> ModalityInput:
    """Join subjects along a new first axis, absent ones as zeros.

    Args:
        arrays: One per subject, ``None`` if missing; their shapes differ at most in the first axis,
            if ``ragged``.
        ragged: The first axis counts tokens, and a token mask says which are real.
        shape: Of one subject (of one token, if ``ragged``), for the case that nobody has the
            modality.
        name: Of the modality, for messages.

    Raises:
        DataError: Shapes differ, or nobody has the modality and ``shape`` is ``None``.
    """
    there = [array for array in arrays if array is not None]
    if not there and shape is None:
        raise DataError(f"none of {len(arrays)} subjects has the modality '{name}'")
    inner = {array.shape[1:] if ragged else array.shape for array in there} or {shape or ()}
    if len(inner) > 1:
        raise DataError(
            f"modality '{name}': subjects have different shapes, "
            f"{' and '.join(map(str, sorted(inner)))}"
        )
    counts = [0 if array is None else len(array) if ragged else 1 for array in arrays]
    longest = max(counts, default=1) or 1
    axes = (len(arrays), longest, *inner.pop()) if ragged else (len(arrays), *inner.pop())
    values = np.zeros(axes, dtype=there[0].dtype if there else np.float32)
    for row, array in enumerate(arrays):
        if array is not None:
            values[(row, slice(len(array))) if ragged else row] = array
    mask = np.arange(longest) < np.array(counts)[:, None] if ragged else None
    present = np.array([array is not None for array in arrays], dtype=bool)
    return ModalityInput(
        torch.from_numpy(values),
        torch.from_numpy(present),
        token_mask=None if mask is None else torch.from_numpy(mask),
        complete=bool(present.all()),
    )


def _run_all(work: _Work) -> list[Prepared]:
    return [work.run(row) for row in range(len(work.subjects))]


def _check_shape(sample: Sample, spec: InputSpec, subject: str) -> None:
    found = tuple(sample.values.shape[1:] if spec.has_tokens else sample.values.shape)
    if found != spec.shape:
        raise DataError(
            f"{sample.source}: subject '{subject}' has shape {found}, but the model takes "
            f"{spec.shape}; declare 'size' (and 'spacing' for volumes) in the cohort file"
        )


def _check_prepared(values: Any, encoder: object, spec: InputSpec, subject: str) -> None:
    name = f"{type(encoder).__name__}.prepare"
    if not isinstance(values, Tensor) or not values.is_floating_point():
        found = values.dtype if isinstance(values, Tensor) else type(values).__name__
        raise PluginError(f"{name} must give a float tensor, not {found} (subject '{subject}')")
    if spec.kind == "table":
        return
    may_miss = getattr(encoder, "prepares_missing", False)
    wrong = values.isinf() if may_miss else ~values.isfinite()
    if bool(wrong.any()):
        found = "infinite" if may_miss else "NaN or infinite"
        raise PluginError(f"{name} gave {found} values for subject '{subject}'")
