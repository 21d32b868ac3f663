"""What a feature is when it says nothing: its training mean, or the most frequent category."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from survkit.data import SubjectStore
from survkit.flow import ModalityInput
from survkit.specs import InputSpec


def reference(
    store: SubjectStore, modality: str, rows: Sequence[int], spec: InputSpec, *, batch: int
) -> Tensor:
    """Return the reference of every position on the last axis; float64 (position).

    The mean over the training subjects who have the modality, over all their tokens and every other
    axis, without missing values; of a category the index of the most frequent level, the first
    where several are. Where a column is scaled linearly, this is its standardised 0.

    Args:
        store: Holds the training subjects.
        modality: The modality.
        rows: The training subjects as positions in the cohort.
        spec: What the encoder was built for.
        batch: Subjects in memory at once.
    """
    total = count = torch.zeros((), dtype=torch.float64)
    for values in _values(store, modality, rows, batch):
        known = ~values.isnan()
        total = total + torch.where(known, values, 0.0).sum(dim=0)
        count = count + known.sum(dim=0)
    found = total / count
    if spec.kind == "table" and len(spec.columns) == len(found):
        for place, column in enumerate(spec.columns):
            if column.levels is not None:
                found[place] = _most_frequent(store, modality, rows, place, len(column.levels))
    return found


def real_values(input: ModalityInput) -> Tensor:
    """Return what the present subjects' real tokens hold; (row, position)."""
    real = input.present
    if input.token_mask is not None:
        real = input.token_mask & input.present[:, None]
    return input.values[real].reshape(-1, input.values.shape[-1])


def _values(
    store: SubjectStore, modality: str, rows: Sequence[int], batch: int
) -> Iterator[Tensor]:
    for start in range(0, len(rows), batch):
        part = store.inputs(rows[start : start + batch], only=[modality])[modality]
        yield real_values(part).double()


def _most_frequent(
    store: SubjectStore, modality: str, rows: Sequence[int], place: int, levels: int
) -> int:
    column = torch.cat([part[:, place] for part in _values(store, modality, rows, len(rows))])
    known = column[~column.isnan()].to(torch.int64)
    return int(torch.bincount(known, minlength=levels + 1).argmax())
