"""Which numbers of a ``metrics.json`` a model card may state, and of what they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from survkit.errors import RunError
from survkit.hub.description import ModelDescription
from survkit.hub.model_files import read_plain_json
from survkit.hub.model_folder import SPLITS_FILE

if TYPE_CHECKING:
    from survkit.evaluation.metric_names import MetricName

METRICS_FILE = "metrics.json"


@dataclass(frozen=True, slots=True)
class CardMetric:
    """One metric of one cause; results are as ``metrics.json`` holds them.

    Attributes:
        cause: Whose.
        name: The metric.
        own: Of this model, on the subjects of its fold, which it has not seen.
        pooled: Of the procedure: all subjects, each predicted by the model of its own fold.
    """

    cause: str
    name: MetricName
    own: Mapping[str, Any]
    pooled: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CardMetrics:
    """Out-of-fold numbers of the cross-validation that a model is one fold of.

    Attributes:
        repeat: Of the model.
        fold: Of the model.
        repeats: Of the cross-validation.
        folds: Of the cross-validation.
        intervals: How they were made.
        metrics: In the order of :data:`~survkit.evaluation.metric_names.METRICS`, by cause.
    """

    repeat: int
    fold: int
    repeats: int
    folds: int
    intervals: str
    metrics: tuple[CardMetric, ...]


def find_metrics(folder: Path, description: ModelDescription) -> CardMetrics | str:
    """Return what was measured of a model, or the reason why nothing can be stated.

    Looked at are ``metrics.json`` of the folder, and of the cross-validation that it lies in. The
    numbers belong to the model where splits, seed, recipe and outcome are the same.

    Raises:
        RunError: The file is damaged.
    """
    run = folder.absolute().parent
    places = [folder] + ([run] if (run / SPLITS_FILE).is_file() else [])
    path = next((one / METRICS_FILE for one in places if (one / METRICS_FILE).exists()), None)
    if path is None:
        return "no evaluation on subjects that this model has not seen lies beside it"
    content = read_plain_json(path)
    if not _belongs(content, description):
        return (
            "the evaluation that lies beside the model is not one of its own cross-validation, as "
            "splits, seed, recipe or outcome differ, so no number of it is told here"
        )
    _, repeat, fold = description.training["seed"]
    try:
        metrics = tuple(_metrics(content, repeat, fold))
        repeats, folds = int(content["repeats"]), int(content["folds"])
        return CardMetrics(repeat, fold, repeats, folds, _intervals(content["settings"]), metrics)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RunError(
            f"{path}: damaged ({type(error).__name__}: {error}); write it anew with survkit report"
        ) from error


def _belongs(content: Any, description: ModelDescription) -> bool:
    """Whether the evaluation is of the cross-validation that made the model."""
    from survkit.evaluation.evaluation import FORMAT  # slow to import, and rarely needed

    facts, outcome = description.training, description.outcome
    seed, recipe = facts.get("seed"), facts.get("recipe")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return False
    if not isinstance(seed, list) or len(seed) != 3 or not isinstance(recipe, Mapping):
        return False
    stated = (
        content.get("splits_hash"), content.get("run_seed"), content.get("model"),
        content.get("horizon"), content.get("time_unit"), tuple(content.get("causes", ())),
    )  # fmt: skip
    return facts.get("splits_sha256") is not None and stated == (
        facts["splits_sha256"], seed[0], recipe.get("title"),
        outcome.horizon, outcome.time_unit, outcome.causes,
    )  # fmt: skip


def _metrics(content: Mapping[str, Any], repeat: int, fold: int) -> Iterator[CardMetric]:
    from survkit.evaluation.metric_names import ALL_PAIRS, METRICS

    for cause, found in content["causes"].items():
        for name in METRICS:
            if name.key.endswith(ALL_PAIRS) or name.key not in found["metrics"]:
                continue
            metric = found["metrics"][name.key]
            own = [one for one in metric["folds"] if (one["repeat"], one["fold"]) == (repeat, fold)]
            for result in (*own, metric["pooled"]):
                _check(result)
            if len(own) != 1:
                raise KeyError(f"{name.key} of repeat {repeat}, fold {fold}")
            yield CardMetric(cause, name, own[0], metric["pooled"])


def _intervals(settings: Mapping[str, Any]) -> str:
    made = f"{settings['interval']} over {settings['cluster']}s"
    if settings["interval"] == "bootstrap":
        made += f", {settings['replicates']} resamples"
    return made


def _check(result: Mapping[str, Any]) -> None:
    """Raise KeyError or TypeError where the card would have to guess."""
    if result.get("value") is None:
        str(result["reason"])
    else:
        float(result["value"])
    int(result["n"])
    int(result["events"])
