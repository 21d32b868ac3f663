"""Cumulative/dynamic AUC: does who has the event by t score higher than who is event-free after it?

Cases at t had the event of the cause by t. Controls are ``"event-free"``: still without any event
after t; or ``"cause-free"``: without the event of the cause by t, those who had a competing event
by then included. With one cause both are the same.
"""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.censoring_weights import check_event_weight, check_no_entry
from survkit.metrics.dynamic_auc_statistic import Controls, DynamicAucStatistic
from survkit.metrics.estimate import Result
from survkit.metrics.ipcw import EventWeight, check_grid, check_training
from survkit.nonparametric.observations import check_target, check_vector
from survkit.prediction import Times


def dynamic_auc(
    risk_score: Tensor,
    times: Times,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    cause: int = 1,
    controls: Controls = "event-free",
    event_weight: EventWeight = "before",
) -> tuple[Result, ...]:
    """Area under the cumulative/dynamic ROC curve at each time; 0.5 is chance, 1 is perfect.

    A case weighs 1 / G(duration-), a control 1 / G(t), or 1 / G(duration-) where it had a competing
    event. Tied scores count one half. Case weights are honoured, delayed entry is refused; strata
    are not looked at.

    Args:
        risk_score: Higher means an earlier event: one score (batch), or one for each time, such as
            the cumulative incidence there (batch, grid).
        times: Increasing; (grid).
        target: The evaluated subjects.
        training: The subjects the censoring model is fitted to; never the test subjects of a fold.
        cause: The cause asked about.
        controls: Who cases are compared with, see above.
        event_weight: Where G is read for an event; ``"at"`` gives scikit-survival's numbers where
            events and censorings are tied.

    Returns:
        One Estimate per time, or Undefined without a case, a control or a weight.

    Raises:
        DataError: An argument has the wrong type, shape or value; delayed entry.

    Reference: Uno, Cai, Tian and Wei (2007); Hung and Chiang (2010); competing risks: Blanche,
        Dartigues and Jacqmin-Gadda (2013), definitions 1 (event-free) and 2 (cause-free).
    """
    return dynamic_auc_statistic(
        risk_score,
        times,
        target,
        training,
        cause=cause,
        controls=controls,
        event_weight=event_weight,
    ).estimates()


def mean_dynamic_auc(
    risk_score: Tensor,
    times: Times,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    cause: int = 1,
    controls: Controls = "event-free",
    event_weight: EventWeight = "before",
) -> Result:
    """Average :func:`dynamic_auc` over times, each weighted by how much of the incidence falls
    between the time before it and itself.

    The incidence is Aalen–Johansen's of the evaluated subjects (1 - Kaplan–Meier with one cause).

    Raises:
        DataError: As there.

    Reference: Lambert and Chevret (2016); with one cause the mean of scikit-survival.
    """
    return dynamic_auc_statistic(
        risk_score,
        times,
        target,
        training,
        cause=cause,
        controls=controls,
        event_weight=event_weight,
    ).estimate()


def dynamic_auc_statistic(
    risk_score: Tensor,
    times: Times,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    cause: int = 1,
    controls: Controls = "event-free",
    event_weight: EventWeight = "before",
) -> DynamicAucStatistic:
    """Return the AUC as a statistic that can be resampled: at the one time, else the mean.

    Where ``training`` is the very object ``target``, subjects are resampled once for both.
    """
    checked = check_target(target)
    check_no_entry(checked, "a dynamic AUC")
    if isinstance(cause, bool) or not isinstance(cause, int) or cause < 1:
        raise DataError(f"cause must be a whole number from 1, not {cause!r}")
    if controls not in ("event-free", "cause-free"):
        raise DataError(f'controls must be "event-free" or "cause-free", not {controls!r}')
    scores = _check_scores(risk_score, len(checked.duration))
    asked = torch.as_tensor(times, dtype=torch.float64)
    asked = check_grid(asked, scores.shape[1] if scores.shape[1] > 1 else max(asked.numel(), 1))
    return DynamicAucStatistic(
        scores=scores,
        times=asked.to(scores.device),
        target=checked,
        training=check_training(training),
        same_subjects=training is target,
        cause=cause,
        controls=controls,
        event_weight=check_event_weight(event_weight),
    )


def _check_scores(risk_score: Tensor, size: int) -> Tensor:
    """Return scores as float64, (batch, 1) or (batch, grid)."""
    if not isinstance(risk_score, Tensor) or risk_score.ndim != 2:
        return check_vector("risk_score", risk_score, size)[:, None]
    if risk_score.shape[0] != size or risk_score.shape[1] == 0:
        raise DataError(
            f"risk_score must hold one row for each of {size} subjects and a column for each time, "
            f"not shape {tuple(risk_score.shape)}"
        )
    columns = [check_vector("risk_score", column) for column in risk_score.unbind(1)]
    return torch.stack(columns, dim=1)
