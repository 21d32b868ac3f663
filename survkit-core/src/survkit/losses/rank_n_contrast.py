"""Survival Rank-N-Contrast: embeddings ordered by the time of the event."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from survkit.errors import ConfigError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.unsupported import refuse_unsupported
from survkit.protocols import ANY_PARAMETERIZATION
from survkit.specs import OutcomeSpec

Variant = Literal["paper", "released"]


def rank_n_contrast_loss(
    embedding: Tensor,
    duration: Tensor,
    observed: Tensor,
    *,
    temperature: float = 2.0,
    uncertain_weight: float = 0.5,
    variant: Variant = "paper",
) -> Tensor:
    """Return the mean over anchors a and positives p of log(sum of negatives) - s(a, p).

    s is minus the Euclidean distance of two embeddings over the temperature. Negatives are the
    subjects certainly further from the anchor in time than p (weight 1) and those of whom that
    cannot be known because somebody is censored (``uncertain_weight``); those certainly nearer are
    left out, as are p itself and ties with the anchor. Positives without negatives, and anchors
    without positives, do not count; with no anchor left the loss is 0.

    O(batch^2) time and memory: in the order of time the negatives of a pair lie before one
    position and after another, so that cumulative sums of each row hold them all. Negatives more
    than 700 temperatures further away than the nearest subject count for nothing.

    Args:
        embedding: (batch, dim).
        duration: Time of event or censoring; (batch).
        observed: Whether the event was observed; bool (batch).
        temperature: Scale of distances, > 0.
        uncertain_weight: Weight of uncertain negatives, 0..1.
        variant: ``"paper"``: similarities of negatives to the anchor; ``"released"``: to the
            positive, as the authors' published code has it.

    Returns:
        A scalar; float64 if the embedding is, else float32. The maths is done in float64.

    Reference: Saeed et al. (2024), MICCAI, arXiv 2403.10603; Zha et al. (2023), NeurIPS.
    """
    order = duration.argsort()
    time = duration.to(torch.float64).index_select(0, order)
    seen = observed.index_select(0, order)
    points = embedding.to(torch.float64).index_select(0, order)
    similarity = (
        -torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist") / temperature
    )
    itself = torch.eye(len(time), dtype=torch.bool, device=time.device)
    shift = similarity.detach().masked_fill(itself, -torch.inf).amax(1, keepdim=True)
    shift = torch.where(shift.isinf(), 0.0, shift)
    exponential = (similarity - shift).exp().masked_fill(itself, 0.0)
    negatives = _negatives(exponential, time, seen, uncertain_weight, variant)
    valid = (negatives > 0) & ~itself
    row_shift = shift if variant == "paper" else shift.T
    term = torch.where(valid, negatives, 1.0).log() + row_shift - similarity
    positives = valid.sum(1)
    per_anchor = torch.where(valid, term, 0.0).sum(1) / positives.clamp(min=1)
    loss = per_anchor.sum() / (positives > 0).sum().clamp(min=1)
    return loss.to(torch.promote_types(embedding.dtype, torch.float32))


def _negatives(
    exponential: Tensor, time: Tensor, seen: Tensor, uncertain: float, variant: Variant
) -> Tensor:
    """Return the weighted sum over the negatives of each (anchor, positive), sorted by time."""
    difference = (time - time.unsqueeze(1)).contiguous()  # [a, j] = t_j - t_a, ascending along j
    radius = difference.abs()
    further_left = torch.searchsorted(difference, -radius)
    further_right = torch.searchsorted(difference, radius, right=True)
    of_events, of_censored = exponential * seen, exponential * ~seen
    left_events = _pick(_sum_before(of_events), further_left, variant)
    right_events = _pick(_sum_from(of_events), further_right, variant)
    right_censored = _pick(_sum_from(of_censored), further_right, variant)
    events = _all_others(of_events, time, variant)
    censored = _all_others(of_censored, time, variant)
    anchor_seen, positive_seen = seen.unsqueeze(1), seen.unsqueeze(0)
    # Of two tied subjects the censored one lives longer.
    later = (difference > 0) | ((difference == 0) & anchor_seen & ~positive_seen)
    both = left_events + right_events + uncertain * censored + (1 - uncertain) * right_censored
    after_anchor = uncertain * (left_events + right_events + censored)
    anyone = uncertain * (events + censored)
    outlived = left_events + uncertain * (right_events + censored)
    maybe_outlived = (1 - uncertain) * left_events + anyone
    with_event = torch.where(positive_seen, both, torch.where(later, after_anchor, anyone))
    positive_event = torch.where(later, maybe_outlived, outlived)
    result = torch.where(
        anchor_seen, with_event, torch.where(positive_seen, positive_event, anyone)
    )
    if variant == "released":  # the published code knows no order between ties
        return torch.where(difference == 0, anyone, result)
    return result


def _sum_before(values: Tensor) -> Tensor:
    """Return (batch, batch + 1): column i is the sum of the columns before i."""
    return torch.nn.functional.pad(values.cumsum(1), (1, 0))


def _sum_from(values: Tensor) -> Tensor:
    """Return (batch, batch + 1): column i is the sum of the columns from i on."""
    return torch.nn.functional.pad(values.flip(1).cumsum(1).flip(1), (0, 1))


def _pick(sums: Tensor, column: Tensor, variant: Variant) -> Tensor:
    """Return for each (anchor, positive) its column in the row of the one that counts."""
    if variant == "paper":
        return sums.gather(1, column)
    return sums.gather(1, column.T).T


def _all_others(values: Tensor, time: Tensor, variant: Variant) -> Tensor:
    """Return for each (anchor, positive) the sum over all but p and the ties of the anchor."""
    if variant == "paper":
        untied = values * (time.unsqueeze(1) != time)
        return _sum_before(untied)[:, :-1] + _sum_from(untied)[:, 1:]
    # The row is the positive's own and holds 0 for itself.
    before = torch.searchsorted(time, time)
    after = torch.searchsorted(time, time, right=True)
    return (
        _sum_before(values).index_select(1, before) + _sum_from(values).index_select(1, after)
    ).T


class RankNContrast:
    """Survival Rank-N-Contrast on the fused embedding; works beside any head.

    Follow-up ends at the horizon. Weights, entry and strata are refused: the paper defines no such
    pairs.

    Args:
        outcome: Gives the horizon.
        temperature: Scale of distances, > 0.
        uncertain_weight: Weight of pairs whose order in time is unknown, 0..1.
        variant: ``"paper"`` or ``"released"``, see :func:`rank_n_contrast_loss`.
    """

    def __init__(
        self,
        outcome: OutcomeSpec,
        *,
        temperature: float = 2.0,
        uncertain_weight: float = 0.5,
        variant: Variant = "paper",
    ) -> None:
        if not temperature > 0:
            raise ConfigError(f"temperature must be positive, not {temperature}")
        if not 0 <= uncertain_weight <= 1:
            raise ConfigError(f"uncertain_weight must lie between 0 and 1, not {uncertain_weight}")
        if variant not in ("paper", "released"):
            raise ConfigError(f"variant must be 'paper' or 'released', not {variant!r}")
        self._horizon = outcome.horizon
        self._temperature = temperature
        self._uncertain_weight = uncertain_weight
        self._variant: Variant = variant

    @property
    def accepts(self) -> tuple[str, ...]:
        """It never looks at the parameters."""
        return (ANY_PARAMETERIZATION,)

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss."""
        refuse_unsupported(target, "rank-n-contrast", "weight", "entry", "strata")
        return rank_n_contrast_loss(
            output.embedding,
            target.duration.clamp(max=self._horizon),
            (target.event > 0) & (target.duration <= self._horizon),
            temperature=self._temperature,
            uncertain_weight=self._uncertain_weight,
            variant=self._variant,
        )
