"""Radiomic features without gaps and on one scale, both learnt from the training subjects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from survkit.errors import DataError
from survkit.flow import ModalityInput

LEAST_SD = 1e-8
"""A feature whose SD over the training rows is below this is switched off."""
HELD = 2**24
"""Numbers that are held at once for medians, which need whole columns."""


class FeatureScaling(nn.Module):
    """Fills gaps with the training median, switches constant features off, standardises the others.

    A row is a patch or a region; all rows of all training subjects count alike. Median, mean and SD
    (population form, gaps filled) are those of the training rows, in float64. A feature is
    constant, and then 0 for every later subject too, if its SD is below 1e-8 or below what rounding
    leaves of numbers of its size. Nothing is cut out, so shapes never change.

    Args:
        names: Of the features, for messages.

    Reference: medians, threshold and z-scores as in a third party's account of Shi, Li (2026),
        arXiv 2604.21056, where single precision left some 30 constant features in.
    """

    fitted: Tensor
    median: Tensor
    mean: Tensor
    factor: Tensor

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)
        for name, value in {"median": 0.0, "mean": 0.0, "factor": 1.0}.items():
            whole = torch.full((len(self.names),), value, dtype=torch.float64)
            self.register_buffer(name, whole)  # factor: 1 / SD, or 0 for a constant feature
        self.register_buffer("fitted", torch.zeros((), dtype=torch.bool))
        self._is_fitted = False

    @torch.no_grad()
    def fit(self, batches: Iterable[Tensor]) -> None:
        """Learn from rows (..., feature), NaN where a value is missing; they are gone through
        several times.

        Raises:
            DataError: No row, an infinite value, or a feature that no row has.
        """
        rows = _Rows(batches, len(self.names))
        count, start, largest = self._looked_through(rows)
        median = self._medians(rows, count)

        def filled() -> Iterator[Tensor]:
            return (torch.where(each.isnan(), median, each) for each in rows)

        # around one of the values: the mean of a constant is then that constant to the last digit
        start = torch.where(start.isnan(), median, start)
        mean = start + _sum(each - start for each in filled()) / count
        sd = (_sum((each - mean).square() for each in filled()) / count).sqrt()
        floor = (8 * torch.finfo(torch.float64).eps * largest).clamp(min=LEAST_SD)
        self.median.copy_(median)
        self.mean.copy_(mean)
        self.factor.copy_(torch.where(sd < floor, 0.0, 1 / sd))
        self.fitted.fill_(True)
        self._is_fitted = True

    def forward(self, features: Tensor) -> Tensor:
        """Return features (..., feature) on the scale and without gaps, float64.

        Raises:
            DataError: The scale is still to be learnt.
        """
        if not self._is_fitted:
            raise DataError(
                "the scale of the radiomic features is not known yet: fit the encoder on "
                "training subjects, or load fitted weights"
            )
        filled = torch.where(features.isnan(), self.median, features.to(self.median.dtype))
        return (filled - self.mean) * self.factor

    def _looked_through(self, rows: _Rows) -> tuple[int, Tensor, Tensor]:
        """Return the number of rows, the first of them, and the largest size of each feature."""
        count, first, sizes = 0, None, []
        for each in rows:
            if bool(each.isinf().any()):
                row, column = (int(place) for place in each.isinf().nonzero()[0])
                raise DataError(
                    f"feature {self.names[column]!r} is {float(each[row, column])} in a training "
                    "subject; correct the table, or leave the feature out"
                )
            if len(each):
                count, first = count + len(each), each[0] if first is None else first
                sizes.append(each.abs().nan_to_num(nan=0.0).amax(dim=0))
        if first is None:
            raise DataError(
                "radiomic features are put on the scale of the training subjects, but none of them "
                "has this modality"
            )
        return count, first, torch.stack(sizes).amax(dim=0)

    def _medians(self, rows: _Rows, count: int) -> Tensor:
        """Return the median of each feature over the rows that have it."""
        at_once = max(HELD // count, 1)
        medians = []
        for start in range(0, len(self.names), at_once):
            block = torch.cat([each[:, start : start + at_once] for each in rows])
            for name, column in zip(self.names[start : start + at_once], block.T, strict=True):
                known = column[~column.isnan()].sort().values
                if not len(known):
                    raise DataError(
                        f"feature {name!r} is missing for every training subject; leave it out"
                    )
                medians.append((known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2)
        return torch.stack(medians)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *rest)
        stored = state_dict.get(f"{prefix}fitted")
        if stored is not None:
            self._is_fitted = bool(stored)


@dataclass(frozen=True, slots=True)
class ValuesOf:
    """The values of each batch of an encoder's input, anew at each iteration."""

    batches: Iterable[ModalityInput]

    def __iter__(self) -> Iterator[Tensor]:
        return (batch.values for batch in self.batches)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Batches as float64 (row, feature), anew at each iteration."""

    batches: Iterable[Tensor]
    width: int

    def __iter__(self) -> Iterator[Tensor]:
        for batch in self.batches:
            yield batch.detach().reshape(-1, self.width).to(torch.float64)


def _sum(parts: Iterator[Tensor]) -> Tensor:
    """Return the sum over the rows of all batches, (feature)."""
    total = next(parts).sum(dim=0)
    for each in parts:
        total = total + each.sum(dim=0)
    return total
