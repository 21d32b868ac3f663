"""What every estimator and metric asks of durations and events before it computes anything."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget


def check_vector(name: str, values: Tensor, size: int | None = None) -> Tensor:
    """Return finite real numbers (batch) as float64.

    Args:
        name: The caller's argument, for the message.
        values: (batch).
        size: The length that is needed, where it is known.

    Raises:
        DataError: Not a tensor, not one axis, wrong length, not real numbers, or NaN or infinite.
    """
    _check_shape(name, values, size)
    if values.dtype == torch.bool or values.is_complex():
        raise DataError(f"{name} must hold real numbers, not {values.dtype}")
    wrong = ~torch.isfinite(values)
    if bool(wrong.any()):
        row = int(wrong.nonzero()[0, 0])
        raise DataError(
            f"{name} must be finite, but row {row} holds {float(values[row])} "
            f"({int(wrong.sum())} such rows); find out why before scoring"
        )
    return values.detach().to(torch.float64).contiguous()  # a column of a matrix is searched slowly


def check_codes(name: str, values: Tensor, size: int) -> Tensor:
    """Return whole numbers >= 0 (batch) as int64.

    Raises:
        DataError: Not a tensor of integers or bool of the right length, or negative.
    """
    _check_shape(name, values, size)
    if values.is_floating_point() or values.is_complex():
        raise DataError(f"{name} must hold integer codes, not {values.dtype}; convert them first")
    codes = values.detach().to(torch.int64)
    if len(codes) and int(codes.min()) < 0:
        row = int(codes.argmin())
        raise DataError(f"{name} must hold codes >= 0, but row {row} holds {int(codes[row])}")
    return codes


def check_observed(duration: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
    """Return durations as float64 and a bool event indicator as int64; (batch) each.

    Raises:
        DataError: As :func:`check_vector`, or event codes, in which a competing cause could become
            an event unseen.
    """
    times = check_vector("duration", duration)
    if not isinstance(observed, Tensor) or observed.dtype != torch.bool:
        found = observed.dtype if isinstance(observed, Tensor) else type(observed).__name__
        raise DataError(f"observed must be a bool tensor such as event == 1, not {found}")
    return times, check_codes("observed", observed, len(times))


def check_target(target: SurvivalTarget, name: str = "target") -> SurvivalTarget:
    """Return the target as float64 and int64 after refusing what cannot have been observed.

    Raises:
        DataError: A field has the wrong type, shape or value; the message names field and row.
    """
    if not isinstance(target, SurvivalTarget):
        raise DataError(f"{name} must be a SurvivalTarget, not {type(target).__name__}")
    duration = check_vector(f"{name}.duration", target.duration)
    if len(duration) == 0:
        raise DataError(f"{name} holds no subject")
    size = len(duration)
    _refuse(duration < 0, f"{name}.duration must not be negative", duration)
    event = check_codes(f"{name}.event", target.event, size)
    entry, weight, strata = target.entry, target.weight, target.strata
    if entry is not None:
        entry = check_vector(f"{name}.entry", entry, size)
        _refuse(entry >= duration, f"{name}.entry must be before the duration", entry)
    if weight is not None:
        weight = check_vector(f"{name}.weight", weight, size)
        _refuse(weight <= 0, f"{name}.weight must be positive", weight)
    if strata is not None:
        strata = check_codes(f"{name}.strata", strata, size)
    return SurvivalTarget(duration, event, entry, weight, strata)


def _check_shape(name: str, values: Tensor, size: int | None) -> None:
    if not isinstance(values, Tensor):
        raise DataError(f"{name} must be a tensor, not {type(values).__name__}")
    if values.ndim != 1:
        raise DataError(
            f"{name} needs one number per subject, not a tensor of shape {tuple(values.shape)}"
        )
    if size is not None and len(values) != size:
        raise DataError(
            f"{name} must hold one value for each of {size} subjects, not {len(values)}"
        )


def _refuse(wrong: Tensor, rule: str, values: Tensor) -> None:
    if bool(wrong.any()):
        row = int(wrong.nonzero()[0, 0])
        raise DataError(f"{rule}, but row {row} holds {float(values[row]):g}")
