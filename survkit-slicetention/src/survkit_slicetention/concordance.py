"""The concordance of the slice-attention paper, on monthly bins, as defined and as its code has it.

For reproduction only; ``survkit evaluate`` gives Antolini's concordance with intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from survkit.errors import ConfigError, DataError

Mode = Literal["inclusive", "ascent"]


@dataclass(frozen=True, slots=True)
class MonthlyConcordance:
    """A concordance, or why there is none.

    Attributes:
        value: The share of comparable pairs in the right order; ``None`` where it is undefined.
        pairs: How many pairs are comparable.
        reason: Why it is undefined; empty otherwise.
    """

    value: float | None
    pairs: int
    reason: str = ""


def monthly_concordance(
    probability: Tensor,
    month: Tensor,
    event: Tensor,
    *,
    mode: Mode = "inclusive",
    tie_score: float = 0.5,
) -> MonthlyConcordance:
    """Return the time-dependent concordance of Antolini et al. on monthly bins, one cause.

    Pairs (i, j) are comparable if i had the event and t_i < t_j; they are in order if the risk of i
    at t_i is above that of j at t_i.

    Args:
        probability: Of the event in each month; (batch, month).
        month: Month of event or censoring, from 0; int64 (batch).
        event: 1 for the event, 0 for censored; int64 (batch).
        mode: ``inclusive``: risk at t is the sum of bins 0..t. ``ascent``: as the published code
            cuts them, bins 0..t-2; nothing for t = 1, and all bins but the last for t = 0.
        tie_score: What equal risks count: 0.5, or 0 as in the published code.

    Raises:
        ConfigError: Another mode or tie score.
        DataError: Shapes that do not agree, a month without a bin, or an event code but 0 and 1.

    Reference: Antolini, Boracchi, Biganzoli (2005), Statistics in Medicine 24; Paolo et al. (2026),
        Health Inf Sci Syst 14:20.
    """
    if mode not in ("inclusive", "ascent") or tie_score not in (0.0, 0.5):
        raise ConfigError(
            f"mode must be inclusive or ascent and tie_score 0 or 0.5, not {mode!r}, {tie_score}"
        )
    _check(probability, month, event)
    bins = probability.shape[1]
    upto = month + 1 if mode == "inclusive" else (month - 1) % bins  # -1 % bins: all but the last
    cumulative = torch.nn.functional.pad(probability.double().cumsum(dim=1), (1, 0))
    at_own_time = cumulative[:, upto]  # of subject j at the time of subject i; (j, i)
    own = at_own_time.diagonal()
    comparable = (event[None] == 1) & (month[None] < month[:, None])
    pairs = int(comparable.sum())
    if pairs == 0:
        return MonthlyConcordance(None, 0, "no subject with the event is followed by a later one")
    score = (own > at_own_time).double() + tie_score * (own == at_own_time)
    return MonthlyConcordance(float(score[comparable].sum()) / pairs, pairs)


def _check(probability: Tensor, month: Tensor, event: Tensor) -> None:
    if probability.ndim != 2 or month.shape != event.shape or month.shape != probability.shape[:1]:
        raise DataError(
            "probabilities are (batch, month), months and events (batch), not "
            f"{tuple(probability.shape)}, {tuple(month.shape)}, {tuple(event.shape)}"
        )
    wrong = ((month < 0) | (month >= probability.shape[1]) | (event < 0) | (event > 1)).nonzero()
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"months are 0..{probability.shape[1] - 1} and events 0 or 1, but subject {row} has "
            f"month {int(month[row])}, event {int(event[row])}"
        )
