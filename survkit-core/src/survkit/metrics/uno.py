"""Uno's concordance: Harrell's, freed from the censoring distribution."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.censoring_weights import check_event_weight, check_no_entry
from survkit.metrics.estimate import Result
from survkit.metrics.harrell import describe
from survkit.metrics.ipcw import EventWeight, check_training
from survkit.metrics.pairs import Competing, outcome_of
from survkit.metrics.uno_statistic import UnoStatistic
from survkit.nonparametric.observations import check_vector


def uno_concordance(
    risk_score: Tensor,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    cause: int = 1,
    tau: float | None = None,
    competing: Competing = "censored",
    event_weight: EventWeight = "before",
) -> Result:
    """Share of the pairs of :func:`survkit.metrics.harrell_concordance` in which who fails first
    has the higher risk, each pair weighted by 1 / G(t)² of its event.

    Harrell's value depends on who happened to be censored; this one estimates P(higher risk of who
    fails first, by tau) whatever the censoring. Without censoring both are equal. Weights (a pair
    weighs the product) and strata (pairs within one only, one censoring model for all) are
    honoured, delayed entry is refused.

    With competing causes the default counts them as censoring, for the pairs and for G, which asks
    about the cause-specific hazard. ``"at-risk"`` keeps who had a competing event comparable with
    every event, earlier or later; such a pair weighs 1 / (G(t_i-) G(t_j-)), and competing events
    are no censoring.

    Args:
        risk_score: Higher means an earlier event; (batch).
        target: The evaluated subjects.
        training: The subjects the censoring model is fitted to; never the test subjects of a fold.
        cause: The cause asked about.
        tau: Only pairs whose event happens by then. Late events have large weights: choose it
            before the end of the training follow-up, where G is still well above 0.
        competing: ``"censored"`` or ``"at-risk"``, see :data:`survkit.metrics.pairs.Competing`.
        event_weight: Where G is read; ``"at"`` gives scikit-survival's numbers where events and
            censorings are tied.

    Returns:
        An Estimate, or Undefined without a comparable pair, or where an event has no weight.

    Raises:
        DataError: An argument has the wrong type, shape or value; delayed entry.

    Reference: Uno, Cai, Pencina, D'Agostino and Wei (2011, equation 6), who take events before
        tau; here events at tau count too, as in every concordance of this package. Competing
        risks: Wolbers, Blanche, Koller, Witteman and Gerds (2014, equation 3).

    >>> target = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 1, 0]))
    >>> uno_concordance(torch.tensor([0.9, 0.1, 0.4]), target, target).value
    0.6666666666666666
    """
    return uno_statistic(
        risk_score,
        target,
        training,
        cause=cause,
        tau=tau,
        competing=competing,
        event_weight=event_weight,
    ).estimate()


def uno_statistic(
    risk_score: Tensor,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    cause: int = 1,
    tau: float | None = None,
    competing: Competing = "censored",
    event_weight: EventWeight = "before",
) -> UnoStatistic:
    """Return :func:`uno_concordance` as a statistic that can be resampled.

    Where ``training`` is the very object ``target``, subjects are resampled once for both.
    """
    if competing not in ("censored", "at-risk"):
        raise DataError(f'competing must be "censored" or "at-risk", not {competing!r}')
    # Those who had a competing event earlier are added as pairs of their own weight.
    outcome = outcome_of(target, cause=cause, tau=tau, competing="censored")
    check_no_entry(target, "Uno's concordance")
    checked = check_training(training)
    ends = checked.event == cause if competing == "censored" else checked.event > 0
    kept = (target.event > 0) & (target.event != cause) if competing == "at-risk" else None
    return UnoStatistic(
        outcome=outcome,
        kept=kept if kept is not None and bool(kept.any()) else None,
        score=check_vector("risk_score", risk_score, outcome.n),
        training=replace(checked, event=ends.to(torch.int64)),
        same_subjects=training is target,
        event_weight=check_event_weight(event_weight),
        method=describe("Uno concordance", cause, tau, competing),
    )
