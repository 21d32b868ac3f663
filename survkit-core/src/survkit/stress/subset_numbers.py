"""The table of modality subsets: what the trained model is worth with some modalities alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from survkit.evaluation import Predictions
from survkit.metrics.estimate import Undefined
from survkit.stress.measure import numbers_json
from survkit.stress.predicted import Predicted
from survkit.stress.yardstick import Yardstick


def subsets_json(
    subsets: Mapping[str, frozenset[str]], predicted: Predicted, gauge: Yardstick
) -> list[dict[str, Any]]:
    """Return one row per subset; clean and noisy are of the same subjects, those who have some
    modality of it.
    """
    rows = []
    for key, names in subsets.items():
        entry: dict[str, Any] = {"modalities": sorted(names)}
        clean = predicted.clean
        words = f"{gauge.metric.label}, {' + '.join(sorted(names))} alone"
        reason = predicted.failed.get(key)
        if reason is None and key not in predicted.subsets:
            reason = "no subject has any of these modalities"
        if reason is not None:
            missing = gauge.undefined(clean, reason)
            entry |= numbers_json(clean, (gauge.values(clean), missing), gauge, words=words)
        else:
            table, about = _filled(clean, predicted.subsets[key])
            values = (gauge.values(clean, about), gauge.values(table, about))
            entry |= numbers_json(clean, values, gauge, words=words, rows=about)
        entry["subjects"] = _subjects(clean, predicted.subsets.get(key))
        rows.append(entry)
    return rows


def _filled(
    clean: Predictions, part: Predictions
) -> tuple[Predictions, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return the whole table with the subset's predictions in their places, and where those are.

    The other rows are not scored; they are there because Brier scores take the censoring of a fold
    from the other folds.
    """
    place = {
        (int(repeat), str(subject)): row
        for row, (repeat, subject) in enumerate(zip(clean.repeat, clean.subject, strict=True))
    }
    keys = zip(part.repeat, part.subject, strict=True)
    rows = np.array([place[int(repeat), str(subject)] for repeat, subject in keys], dtype=np.int64)
    incidence = np.asarray(clean.cumulative_incidence).copy()
    incidence[rows] = np.asarray(part.cumulative_incidence)
    score = clean.risk_score.copy()
    score[rows] = part.risk_score
    about = np.zeros(len(clean), dtype=bool)
    about[rows] = True
    return replace(clean, cumulative_incidence=incidence, risk_score=score), about


def _subjects(clean: Predictions, part: Predictions | None) -> int:
    return 0 if part is None else part.subjects


def undefined_subsets(predicted: Predicted, gauge: Yardstick, modalities: int) -> dict[str, Any]:
    """Say why there is no table."""
    reason = "the model takes one modality" if modalities < 2 else "there are too many modalities"
    missing: Undefined = gauge.undefined(predicted.clean, reason)
    return missing.to_json()
