"""D-calibration: are the survival probabilities at the subjects' own durations uniform?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.antolini import check_incidence
from survkit.metrics.censoring_weights import check_no_entry
from survkit.metrics.estimate import Undefined
from survkit.nonparametric.chi_square import chi_square_p_value
from survkit.nonparametric.observations import check_target, check_vector
from survkit.prediction import SurvivalPrediction

ROW_BLOCK = 512
"""Subjects whose curves are evaluated at once: memory grows with its square."""

FEWEST_PER_BIN = 5.0
"""With fewer subjects per bin the chi-square distribution is a poor approximation."""


@dataclass(frozen=True, slots=True)
class DCalibration:
    """Result of a test of distribution calibration.

    Attributes:
        share: Share of the subjects whose survival probability at the event falls in each of the
            equal bins of [0, 1], lowest first; calibrated is 1 / bins everywhere.
        statistic: Pearson's chi-square statistic.
        degrees_of_freedom: Number of bins less one.
        p_value: P of a statistic at least as large if the model is calibrated; small says it is
            not.
        method: What was computed and how, in words for a reader.
        n: Subjects that entered.
        events: Events among them.
    """

    share: tuple[float, ...]
    statistic: float
    degrees_of_freedom: int
    p_value: float
    method: str
    n: int
    events: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts."""
        return asdict(self)


def d_calibration(
    survival: Tensor, target: SurvivalTarget, *, bins: int = 10
) -> DCalibration | Undefined:
    """Test whether S(T | x) is uniform on [0, 1], as it is under the true model.

    Who is censored with S(c) = s would have had the event somewhere below s: it is spread evenly
    over [0, s]. An event of any cause ends survival. Because of that spread the bins of censored
    data vary less than the test supposes: with much censoring it is conservative. Weights and
    delayed entry are refused.

    With competing causes it is a test of the survival from all of them together, and its method
    says so. There is none of one cause: 1 - its cumulative incidence is not uniform at its events,
    as it never falls to 0, and must not be passed.

    Args:
        survival: Each subject's predicted survival probability at its own duration; (batch).
        target: What was observed.
        bins: Number of equal bins.

    Returns:
        The test, or Undefined where nobody has the event.

    Raises:
        DataError: An argument has the wrong type, shape or value; weights; delayed entry.

    Reference: Haider, Hoehn, Davis and Greiner (2020, section 3.5 and appendix B).
    """
    checked = check_target(target)
    check_no_entry(checked, "D-calibration from time 0")
    if checked.weight is not None:
        raise DataError("target.weight: D-calibration counts subjects, its test knows no weights")
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 2:
        raise DataError(f"bins must be a whole number from 2, not {bins!r}")
    size = len(checked.duration)
    values = check_vector("survival", survival, size)
    check_incidence(values[:, None], size)
    events = int((checked.event > 0).sum())
    if events == 0:
        return Undefined("nobody has the event: all bins would hold spread censorings", size, 0)
    count = bin_counts(values.clamp(0, 1), checked.event > 0, bins)  # rounding only
    expected = size / bins
    statistic = float(((count - expected) ** 2 / expected).sum())
    method = f"D-calibration, {bins} bins, censored subjects spread evenly below their survival"
    if int(checked.event.max()) > 1:
        method += ", events of all causes together"
    if expected < FEWEST_PER_BIN:
        method += f"; only {expected:g} subjects per bin, so the p-value is rough"
    return DCalibration(
        share=tuple((count / size).tolist()),
        statistic=statistic,
        degrees_of_freedom=bins - 1,
        p_value=chi_square_p_value(statistic, bins - 1),
        method=method,
        n=size,
        events=events,
    )


def d_calibration_from_prediction(
    prediction: SurvivalPrediction, target: SurvivalTarget, *, bins: int = 10
) -> DCalibration | Undefined:
    """Evaluate every curve at its subject's own duration and call :func:`d_calibration`.

    Durations beyond the last time the prediction knows count as censored there.

    Args:
        prediction: Of the subjects of ``target``, in their order.
        target: What was observed.
        bins: Number of equal bins.

    Raises:
        DataError: As there.
    """
    checked = check_target(target)
    beyond = checked.duration > prediction.last_time
    duration = checked.duration.clamp(max=prediction.last_time)
    parts = []
    for rows in torch.split(torch.arange(len(duration), device=duration.device), ROW_BLOCK):
        curves = prediction.survival(duration[rows])
        if len(curves) != len(duration):
            raise DataError(
                f"prediction must hold the {len(duration)} subjects of the target, "
                f"not {len(curves)}"
            )
        place = torch.arange(len(rows), device=curves.device)
        parts.append(curves[rows.to(curves.device), place])
    known = SurvivalTarget(
        duration, checked.event.masked_fill(beyond, 0), checked.entry, checked.weight
    )
    return d_calibration(torch.cat(parts).to(duration.device), known, bins=bins)


def bin_counts(survival: Tensor, observed: Tensor, bins: int) -> Tensor:
    """Count subjects per bin, the censored ones in parts; float64 (bin).

    A censored subject at s lies in its own bin with (s - left edge) / s and in every lower bin
    with 1 / (bins · s).
    """
    own = (survival * bins).floor().clamp(max=bins - 1).to(torch.int64)
    count = survival.new_zeros(bins).index_add(
        0, own[observed], survival.new_ones(int(observed.sum()))
    )
    censored, place = survival[~observed], own[~observed]
    certain = censored == 0  # all of [0, 0] lies in the lowest bin
    share = torch.where(certain, 1.0, (censored - place / bins) / censored)
    count = count.index_add(0, place, share)
    below = torch.zeros_like(count).index_add(
        0, place, torch.where(certain, 0.0, 1 / (bins * censored))
    )
    return count + (below.flip(0).cumsum(0).flip(0) - below)
