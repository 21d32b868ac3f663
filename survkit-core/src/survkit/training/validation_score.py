"""How well the inner validation part is ordered; this chooses the epoch, never a reported
number.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import cast

from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget, map_tensors
from survkit.metrics.antolini_prediction import antolini_from_prediction
from survkit.metrics.estimate import Estimate, Result
from survkit.metrics.harrell import harrell_concordance
from survkit.model import SurvivalModel
from survkit.prediction import SurvivalPrediction
from survkit.protocols import FitsBaseline, SurvivalHead
from survkit.specs import OutcomeSpec
from survkit.training_config import Monitor


def validation_concordance(
    model: SurvivalModel,
    parameters: Tensor,
    target: SurvivalTarget,
    outcome: OutcomeSpec,
    *,
    monitor: Monitor = "concordance",
) -> float:
    """Return the concordance of a head's outputs: at the horizon, or with ``monitor="antolini"``
    the time-dependent one up to it.

    A head that needs a baseline gets one from the validation subjects themselves, on a copy: it
    does not change the order of subjects, and the model's own is fitted after training.

    Raises:
        DataError: No cause has a comparable pair.
    """
    head = cast(SurvivalHead, model.head)
    parameters, target = parameters.detach().cpu(), _on_host(target)
    head = deepcopy(head).cpu()  # type: ignore[attr-defined]
    if isinstance(head, FitsBaseline):
        head.fit_baseline(parameters, target)
    prediction = head.predict(parameters)
    score = time_concordance if monitor == "antolini" else horizon_concordance
    return score(prediction, target, outcome)


def horizon_concordance(
    prediction: SurvivalPrediction,
    target: SurvivalTarget,
    outcome: OutcomeSpec,
    *,
    cause: int | None = None,
) -> float:
    """Return Harrell's concordance at the horizon, averaged over the causes for which it exists.

    Events after the horizon start no pair, as in the numbers that are reported.

    Args:
        prediction: Of the subjects.
        target: What was observed of them.
        outcome: With the horizon.
        cause: Code of the only cause that counts; ``None`` for all.

    Raises:
        DataError: No cause has a comparable pair.
    """
    horizon = min(outcome.horizon, prediction.last_time)
    return _mean_over_causes(
        [
            harrell_concordance(
                prediction.risk_score(horizon, one), target, cause=one, tau=outcome.horizon
            )
            for one in (range(1, len(outcome.causes) + 1) if cause is None else (cause,))
        ],
        target,
    )


def time_concordance(
    prediction: SurvivalPrediction, target: SurvivalTarget, outcome: OutcomeSpec
) -> float:
    """Return Antolini's C-td up to the horizon, averaged over the causes for which it exists.

    Predictions are compared at the time of each event, as in the numbers that are reported.

    Raises:
        DataError: No cause has a comparable pair.

    Reference: Antolini, Boracchi and Biganzoli (2005).
    """
    horizon = min(outcome.horizon, prediction.last_time)
    return _mean_over_causes(
        [
            antolini_from_prediction(prediction, target, cause=cause, tau=horizon)
            for cause in range(1, len(outcome.causes) + 1)
        ],
        target,
    )


def _mean_over_causes(found: Sequence[Result], target: SurvivalTarget) -> float:
    values = [result.value for result in found if isinstance(result, Estimate)]
    if not values:
        raise DataError(
            f"the {len(target.duration)} validation subjects have no comparable pair "
            f"({found[0].reason}); "  # type: ignore[union-attr]
            "set training.monitor to loss, or training.validation to a larger share or to 0"
        )
    return sum(values) / len(values)


def _on_host(target: SurvivalTarget) -> SurvivalTarget:
    return map_tensors(target, lambda tensor: tensor.cpu())


def is_better(value: float, best: float | None, monitor: str) -> bool:
    """Whether a validation score beats the best so far; the earlier epoch wins a tie."""
    if best is None:
        return value == value
    return value < best if monitor == "loss" else value > best
