"""Refusing targets that no loss or metric can use; for set-up, not for every step."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget


def check_target(target: SurvivalTarget, causes: int) -> None:
    """Refuse wrong shapes, dtypes, times, event codes and weights, naming the first row.

    Args:
        target: What was observed.
        causes: Number of causes K; event codes are 0 (censored) to K.

    Raises:
        DataError: Something in the target cannot be used.
    """
    count = target.duration.shape[0] if target.duration.ndim == 1 else -1
    _check_tensor("duration", target.duration, count, torch.float64)
    _check_tensor("event", target.event, count, torch.int64)
    _refuse("durations must be finite and > 0", target.duration, ~_positive(target.duration))
    _refuse(
        f"event codes must be 0 (censored) to {causes}",
        target.event,
        (target.event < 0) | (target.event > causes),
    )
    if target.entry is not None:
        _check_tensor("entry", target.entry, count, torch.float64)
        possible = (target.entry >= 0) & (target.entry < target.duration)
        _refuse("entry must be >= 0 and before the duration", target.entry, ~possible)
    if target.weight is not None:
        _check_tensor("weight", target.weight, count, torch.float64)
        _refuse("weights must be finite and > 0", target.weight, ~_positive(target.weight))
    if target.strata is not None:
        _check_tensor("strata", target.strata, count, torch.int64)


def _positive(values: Tensor) -> Tensor:
    return (values > 0) & values.isfinite()


def _check_tensor(name: str, values: Tensor, count: int, dtype: torch.dtype) -> None:
    if values.ndim != 1 or len(values) != count or values.dtype != dtype:
        length = "batch" if count < 0 else count
        raise DataError(
            f"{name} must be {dtype} of shape ({length},), not {values.dtype} of shape "
            f"{tuple(values.shape)}; "
            "convert it before building the target"
        )


def _refuse(rule: str, values: Tensor, wrong: Tensor) -> None:
    rows = wrong.nonzero().flatten()
    if len(rows):
        row = int(rows[0])
        raise DataError(
            f"{rule}, but row {row} has {values[row].item():g} ({len(rows)} such rows); "
            "correct or drop those subjects"
        )
