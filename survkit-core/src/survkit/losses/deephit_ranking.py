"""DeepHit's ranking term: who has the event earlier should have the higher incidence then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from survkit.discrete import DISCRETE_PARAMETERIZATIONS, cumulative_incidence, log_pmf
from survkit.errors import ConfigError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.ranking_pairs import duration_pair_sum, interval_pair_sum, own_time_pair_sum
from survkit.losses.unsupported import refuse_unsupported
from survkit.specs import OutcomeSpec
from survkit.time_grid import discretise

_SMALLEST_SIGMA = 0.0125
_SINGLE_PRECISION_SIGMA = 0.02  # below it exp(1 / sigma) times the subjects could exceed float32


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingSettings:
    """Settings of the ranking term.

    Attributes:
        sigma: Scale of the differences of incidences; at 0.0125 single terms reach exp(80),
            smaller is refused.
        normalisation: What the sum over pairs is divided by: ``"pairs"`` their number,
            ``"batch-squared"`` n^2 (as in pycox), ``"paper"`` n: the sum over i of the mean over
            j, as in the slice-attention paper's code.
        tie_rule: ``"strict"``: i precedes j if t_i < t_j, as in the papers; ``"censored-later"``:
            also if they are equal and j is censored, as in pycox.
        rank_time: Where F of j is taken: ``"ti"`` at the time of i, as in DeepHit; ``"own"`` at
            its own time, as RobSurv's eq. 13 is printed.
        compare: Whether t are indices (``"interval"``) or durations (``"duration"``).
    """

    sigma: float = 0.1
    normalisation: Literal["pairs", "batch-squared", "paper"] = "pairs"
    tie_rule: Literal["strict", "censored-later"] = "strict"
    rank_time: Literal["ti", "own"] = "ti"
    compare: Literal["interval", "duration"] = "interval"

    def __post_init__(self) -> None:
        if not self.sigma >= _SMALLEST_SIGMA:
            raise ConfigError(
                f"sigma must be at least {_SMALLEST_SIGMA}, not {self.sigma}: "
                "exp(1 / sigma) would overflow"
            )
        _check_choice("normalisation", self.normalisation, "pairs", "batch-squared", "paper")
        _check_choice("tie_rule", self.tie_rule, "strict", "censored-later")
        _check_choice("rank_time", self.rank_time, "ti", "own")
        _check_choice("compare", self.compare, "interval", "duration")
        if self.rank_time == "own" and self.compare == "duration":
            raise ConfigError(
                "rank_time 'own' is only defined on intervals; leave compare at 'interval'"
            )


def deephit_ranking(
    incidence: Tensor,
    interval: Tensor,
    event: Tensor,
    *,
    duration: Tensor | None = None,
    settings: RankingSettings | None = None,
) -> Tensor:
    """Return the normalised sum over pairs of exp(-(F_k(t_i | x_i) - F_k(t_i | x_j)) / sigma).

    A pair (i, j) is comparable if i had an event of some cause k and j is event-free for longer.
    O(batch * cause * grid) time and memory. Without comparable pairs the loss is 0 with gradient 0.

    Args:
        incidence: Cumulative incidence F; (batch, cause, grid).
        interval: 0..grid, grid for "event-free at the horizon"; int64 (batch).
        event: 0 for censored, else the cause; int64 (batch).
        duration: Durations, for ``compare="duration"``; (batch).
        settings: Scale, normalisation and rules; the defaults of :class:`RankingSettings` if
            ``None``.

    Reference: Lee, Zame, Yoon & van der Schaar (2018), AAAI, L2, with all causes weighing the same.
    """
    settings = settings or RankingSettings()
    sigma = settings.sigma
    values = incidence.to(torch.float64) if sigma < _SINGLE_PRECISION_SIGMA else incidence
    count, _, intervals = values.shape
    had_event = event > 0
    # Censored subjects get some slot, at which they weigh nothing.
    slot = torch.add(interval, event, alpha=intervals).sub_(intervals).clamp_(min=0)
    indicator = had_event.to(values.dtype)
    if settings.compare == "duration":
        rank = _duration_rank(duration, had_event, settings)
        total, pairs = duration_pair_sum(values, rank, slot, indicator, sigma)
        by_pairs = settings.normalisation == "pairs"
        return total / (pairs.clamp(min=1) if by_pairs else _divisor(settings, count))
    at_risk = _outlives(interval, had_event, intervals, settings)
    by_pairs = settings.normalisation == "pairs"
    scale = 1.0 if by_pairs else 1 / _divisor(settings, count)
    if settings.rank_time == "own":
        total = scale * own_time_pair_sum(values, interval, slot, indicator, at_risk, sigma)
    else:
        total = interval_pair_sum(values, slot, indicator, at_risk, sigma, scale)
    if not by_pairs:
        return total
    outliving = at_risk.sum((0, 1)).index_select(0, slot % intervals)
    return total / (outliving * had_event).sum().clamp(min=1)


def _outlives(
    interval: Tensor, had_event: Tensor, intervals: int, settings: RankingSettings
) -> Tensor:
    """Return whether a subject outlives the events of an interval: (batch, 1, grid)."""
    grid = torch.arange(intervals, device=interval.device)
    if settings.tie_rule == "strict":
        return (interval.unsqueeze(1) > grid).unsqueeze(1)
    # The censored of an interval outlive its events, as if they were one interval later.
    return ((interval + (~had_event)).unsqueeze(1) > grid).unsqueeze(1)


def _duration_rank(duration: Tensor | None, had_event: Tensor, settings: RankingSettings) -> Tensor:
    if duration is None:
        raise ConfigError("compare='duration' needs the durations; pass duration=")
    distinct = duration.to(torch.float64)
    if settings.tie_rule == "strict":
        return distinct
    position = torch.searchsorted(distinct.sort().values, distinct)
    return (2 * position + (~had_event)).to(torch.float64)


def _divisor(settings: RankingSettings, count: int) -> int:
    """What ``"paper"`` and ``"batch-squared"`` divide by."""
    return max(count, 1) ** (1 if settings.normalisation == "paper" else 2)


def _check_choice(name: str, value: str, *choices: str) -> None:
    if value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")


class DeepHitRanking:
    """The ranking term of DeepHit, for one or several causes.

    Weights, entry and strata are refused: the papers define no such pairs.

    Args:
        outcome: Names the causes and the time grid.
        sigma: As in :class:`RankingSettings`, like all that follow.
        normalisation: What the sum is divided by.
        tie_rule: Which ties are comparable.
        rank_time: Where the incidence of the later subject is taken.
        compare: Whether intervals or durations are compared.
    """

    def __init__(
        self,
        outcome: OutcomeSpec,
        *,
        sigma: float = 0.1,
        normalisation: Literal["pairs", "batch-squared", "paper"] = "pairs",
        tie_rule: Literal["strict", "censored-later"] = "strict",
        rank_time: Literal["ti", "own"] = "ti",
        compare: Literal["interval", "duration"] = "interval",
    ) -> None:
        self._outcome = outcome
        self._settings = RankingSettings(
            sigma=sigma,
            normalisation=normalisation,
            tie_rule=tie_rule,
            rank_time=rank_time,
            compare=compare,
        )

    @property
    def accepts(self) -> tuple[str, ...]:
        """The parameterizations it can read."""
        return DISCRETE_PARAMETERIZATIONS

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss."""
        refuse_unsupported(target, "deephit-ranking", "weight", "entry", "strata")
        outcome = self._outcome
        log_event, _ = log_pmf(
            output.parameters, output.parameterization, len(outcome.causes), outcome.intervals
        )
        interval, event = discretise(target, outcome)
        return deephit_ranking(
            cumulative_incidence(log_event),
            interval,
            event,
            duration=target.duration,
            settings=self._settings,
        )
