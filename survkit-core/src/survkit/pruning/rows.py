"""From predicted tables to the rows of ``prune.json``.

Full and pruned are scored on the same resamples of test subjects, so that the interval of their
difference is a paired one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from survkit.evaluation import Predictions
from survkit.metrics.estimate import Undefined
from survkit.pruning.choice import Choice
from survkit.pruning.predict_fold import FULL, IMPORTANCE
from survkit.pruning.predicted import Predicted
from survkit.pruning.retrain import Retrained
from survkit.pruning.settings import Map
from survkit.stress.yardstick import Values, Yardstick


def pruned_row(choice: Choice, predicted: Predicted, gauge: Yardstick, map: Map) -> dict[str, Any]:
    """Return the row of a choice, nothing trained."""
    seconds = predicted.seconds
    row = _named(choice, map, predicted.shares[choice.key], retrained=False)
    row |= _numbers(predicted.tables[FULL], predicted.tables[choice.key], gauge)
    row |= _speed(seconds[FULL], seconds[choice.key])
    row["seconds_importance"] = seconds.get(IMPORTANCE)
    row["predictions"] = choice.key
    return row


def retrained_row(
    choice: Choice, predicted: Predicted, retrained: Retrained, gauge: Yardstick, map: Map
) -> dict[str, Any]:
    """Return the row of a choice after more training."""
    row = _named(choice, map, predicted.shares[choice.key], retrained=True)
    row |= _numbers(predicted.tables[FULL], retrained.table, gauge)
    row |= _speed(retrained.full, retrained.seconds)
    row["seconds_importance"] = None
    row["predictions"] = retrained_key(choice)
    return row


def retrained_key(choice: Choice) -> str:
    """Return the name of the folder of a run that was trained on."""
    return f"{choice.key}-retrained"


def _named(choice: Choice, map: Map, shares: Sequence[float], *, retrained: bool) -> dict[str, Any]:
    return {
        "rule": choice.rule,
        "value": choice.value,
        "label": choice.label,
        "map": map,
        "retrained": retrained,
        "kept": sum(shares) / len(shares),
        "kept_lowest": min(shares),
        "kept_highest": max(shares),
    }


def _numbers(full: Predictions, pruned: Predictions, gauge: Yardstick) -> dict[str, Any]:
    values = {"full": gauge.values(full), "pruned": gauge.values(pruned)}
    difference = _difference(values["pruned"], values["full"])
    words = gauge.metric.label
    return {
        "full": gauge.result(values["full"], full, method=words).to_json(),
        "pruned": gauge.result(values["pruned"], pruned, method=words).to_json(),
        "difference": gauge.result(difference, full, method=f"pruned - full, {words}").to_json(),
    }


def _difference(pruned: Values, full: Values) -> Values:
    if isinstance(full, Undefined):
        return full
    return pruned if isinstance(pruned, Undefined) else pruned - full


def _speed(full: float, pruned: float) -> dict[str, Any]:
    return {"seconds_full": full, "seconds_pruned": pruned, "speed_up": full / pruned}
