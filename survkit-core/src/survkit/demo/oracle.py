"""The truth, evaluated as if a model had predicted it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from survkit.evaluation import Evaluation, Predictions, evaluate
from survkit.evaluation.metric_names import HARRELL
from survkit.flow import SurvivalTarget
from survkit.metrics.estimate import Result
from survkit.phantom import Phantom


def evaluate_oracle(
    phantom: Phantom,
    predictions: Predictions,
    *,
    replicates: int,
    training: SurvivalTarget | None = None,
) -> Evaluation:
    """Return the metrics of the true hazard and the true incidence.

    Args:
        phantom: The cohort and its truth.
        predictions: Of a model; their subjects, folds and times are taken, so that model and
            oracle are compared on the very same pairs.
        replicates: Bootstrap resamples of the intervals.
        training: From whom the censoring is estimated, where the predictions are of one fold.
    """
    rows = _positions(phantom, predictions)
    truth = replace(
        predictions,
        model="oracle",
        risk_score=phantom.log_hazard[rows],
        cumulative_incidence=phantom.cumulative_incidence(predictions.time_grid)[rows],
    )
    return evaluate(truth, training=training, replicates=replicates)


def best_of(phantom: Phantom, predictions: Predictions, modality: str) -> Result:
    """Return the concordance of the part of the true hazard that one modality shows."""
    rows = _positions(phantom, predictions)
    known = replace(predictions, risk_score=phantom.partial_log_hazard(modality)[rows])
    return evaluate(known, replicates=0).metric(HARRELL).pooled


def _positions(phantom: Phantom, predictions: Predictions) -> list[int]:
    place = {name: position for position, name in enumerate(phantom.subject_ids)}
    return [place[str(name)] for name in np.asarray(predictions.subject)]
