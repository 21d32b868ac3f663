"""Precomputed embeddings: one vector per subject, or several as tokens."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.data.modality_config import VectorModality
from survkit.data.readers.all_columns import all_columns
from survkit.data.readers.join import refuse_strangers, subject_column
from survkit.data.readers.source import Rows
from survkit.data.text_table import TextTable
from survkit.errors import DataError
from survkit.protocols import Sample
from survkit.specs import InputSpec


@dataclass(frozen=True, slots=True)
class VectorSource:
    """Vectors of all subjects, those of one subject together.

    Attributes:
        source: File, for messages.
        values: float32 (token of any subject, dim).
        first: Where each subject's vectors start in ``values``; int64 (subject).
        count: How many each subject has, 0 if the modality is missing; int64 (subject).
        has_tokens: Whether a subject may have several.
        entries: Name of the column of each entry; empty where entries have no names (an archive,
            columns of lists).
    """

    source: str
    values: NDArray[np.float32]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    has_tokens: bool
    entries: tuple[str, ...] = ()

    @property
    def available(self) -> NDArray[np.bool_]:
        """Which subjects have the modality."""
        return np.asarray(self.count > 0)

    def spec(self, rows: Rows) -> InputSpec:
        """Return the width; nothing is learnt from the rows."""
        return InputSpec(kind="vector", shape=(self.values.shape[1],), has_tokens=self.has_tokens)

    def read(self, row: int, spec: InputSpec) -> Sample | None:
        """Return one subject's vector (dim) or tokens (token, dim)."""
        if not self.count[row]:
            return None
        start = int(self.first[row])
        values = self.values[start : start + int(self.count[row])]
        return Sample(
            values=torch.from_numpy((values if self.has_tokens else values[0]).copy()),
            source=self.source,
        )

    def take(self, rows: Rows) -> VectorSource:
        """Return the given subjects."""
        return replace(self, first=self.first[rows], count=self.count[rows])

    def stamp(self) -> bytes:
        """Return a digest of all subjects' vectors."""
        return hashlib.sha256(b"".join(map(self.identity, range(len(self.count))))).digest()

    def identity(self, row: int) -> bytes:
        """Return a digest of the subject's vectors."""
        start = int(self.first[row])
        values = np.ascontiguousarray(self.values[start : start + int(self.count[row])])
        return hashlib.sha256(repr(values.shape).encode() + values.tobytes()).digest()


def open_vectors(
    config: VectorModality, table: TextTable, subject: str, subjects: Sequence[str], modality: str
) -> VectorSource:
    """Bring an embedding table into the cohort's order.

    Subjects of whom every cell is empty miss the modality.

    Raises:
        DataError: Not numbers, partly missing or infinite numbers, several rows without
            ``tokens``, or places of patches among the columns.
    """
    if config.columns is None:
        columns = all_columns(table, subject, config.exclude, modality)
    else:
        columns = config.columns
    values = _stacked(table, columns)
    entries = tuple(columns) if len(columns) == values.shape[1] else ()
    names = list(subjects) if config.file is None else subject_column(table, subject)
    empty = np.asarray(np.isnan(values).all(axis=1))
    _refuse_unusable(values[~empty], [names[row] for row in np.flatnonzero(~empty)], table.source)
    if config.file is None:
        own = np.arange(len(table), dtype=np.int64)
        return VectorSource(
            table.source, values.astype(np.float32), own, np.where(empty, 0, 1), False, entries
        )
    refuse_strangers(names, subjects, table.source, modality)
    rows_of: dict[str, list[int]] = {}
    for row in np.flatnonzero(~empty):
        rows_of.setdefault(names[row], []).append(int(row))
    blocks = {name: values[rows] for name, rows in rows_of.items()}
    return replace(_gathered(blocks, subjects, table.source, tokens=config.tokens), entries=entries)


def open_archive(
    config: VectorModality, path: Path, subjects: Sequence[str], modality: str
) -> VectorSource:
    """Bring an ``.npz`` with one array per subject, (dim) or (token, dim), into the cohort's order.

    Raises:
        DataError: No such archive, pickled content, not numbers, or differing widths.
    """
    for key, said in (("columns", config.columns), ("exclude", config.exclude)):
        if said:
            raise DataError(
                f"{path}: an .npz has no columns; leave out modalities.{modality}.{key}"
            )
    blocks: dict[str, NDArray[np.float64]] = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            for name in archive.files:
                array = archive[name]
                if array.ndim not in (1, 2) or array.dtype.kind not in "fiu":
                    raise DataError(
                        f"{path}: '{name}' must be numbers (dim) or (token, dim), "
                        f"not {array.dtype} {array.shape}"
                    )
                blocks[name] = np.atleast_2d(array).astype(np.float64)
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except (zipfile.BadZipFile, ValueError, OSError, AttributeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not a readable .npz archive of plain arrays") from error
    widths = {block.shape[1] for block in blocks.values()}
    if len(widths) != 1:
        raise DataError(f"{path}: vectors must have one width, not {sorted(widths)}")
    refuse_strangers(list(blocks), subjects, str(path), modality)
    for name, block in blocks.items():
        _refuse_unusable(block, [name] * len(block), str(path))
    return _gathered(blocks, subjects, str(path), tokens=config.tokens)


def _gathered(
    blocks: dict[str, NDArray[np.float64]], subjects: Sequence[str], source: str, *, tokens: bool
) -> VectorSource:
    several = next((name for name, block in blocks.items() if len(block) > 1), None)
    if several is not None and not tokens:
        raise DataError(
            f"{source}: subject '{several}' has {len(blocks[several])} rows; set tokens: true to "
            "give each row as a token, or keep one row per subject"
        )
    names = [name for name in dict.fromkeys(subjects) if name in blocks]
    if not names:
        raise DataError(f"{source}: it holds no vector of any subject of the cohort")
    place: dict[str, tuple[int, int]] = {}
    total = 0
    for name in names:
        place[name] = (total, len(blocks[name]))
        total += len(blocks[name])
    located = np.array([place.get(name, (0, 0)) for name in subjects], dtype=np.int64)
    values = np.concatenate([blocks[name] for name in names]).astype(np.float32)
    return VectorSource(source, values, located[:, 0], located[:, 1], tokens)


def _stacked(table: TextTable, columns: Sequence[str]) -> NDArray[np.float64]:
    blocks = []
    for name in columns:
        if table.column(name).ndim == 2:
            blocks.append(table.column(name))
            continue
        values, wrong = table.numbers(name)
        if wrong.any():
            index = int(np.flatnonzero(wrong)[0])
            raise DataError(
                f"{table.source}: column '{name}' of an embedding must hold numbers, but row "
                f"{index + 2} has '{table.column(name)[index]}'"
            )
        blocks.append(values[:, None])
    if not blocks:
        raise DataError(f"{table.source}: it has no columns but the subject")
    return np.concatenate(blocks, axis=1)


def _refuse_unusable(values: NDArray[np.float64], names: Sequence[str], source: str) -> None:
    wrong = ~(np.abs(values) <= np.finfo(np.float32).max).all(axis=1)
    if wrong.any():
        raise DataError(
            f"{source}: the embedding of subject '{names[int(np.flatnonzero(wrong)[0])]}' holds "
            f"missing or infinite numbers ({int(wrong.sum())} such rows); remove the rows, so that "
            "the modality counts as missing"
        )
