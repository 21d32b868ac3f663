"""Which numbers of a ``metrics.json`` a model card may state, and of what they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from survkit.errors import RunError
from survkit.hub.description import ModelDescription
from survkit.hub.model_card_belongs import NotOfIt, Of, numbers_of
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
        pooled: Of all subjects: of the procedure, each predicted by the model of its own fold; or
            of this model on another cohort.
        own: Of the model of a fold, on the subjects of its fold, which it has not seen.
        oracle: Of the truth by which a phantom cohort was drawn.
    """

    cause: str
    name: MetricName
    pooled: Mapping[str, Any]
    own: Mapping[str, Any] | None = None
    oracle: Mapping[str, Any] | None = None

    @property
    def results(self) -> tuple[Mapping[str, Any], ...]:
        """All that is known of it."""
        return tuple(one for one in (self.own, self.pooled, self.oracle) if one is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardMetrics:
    """Numbers of subjects that were not trained on.

    Attributes:
        of: What they are of.
        repeat: Of the model of a fold.
        fold: Of the model of a fold.
        repeats: Of the cross-validation.
        folds: Of the cross-validation.
        intervals: How they were made.
        metrics: In the order of :data:`~survkit.evaluation.metric_names.METRICS`, by cause.
        causes: What ``metrics.json`` holds of each cause, for its calibration.
        sample: Of a cohort that the model was not trained on: its ``name``, ``subjects`` and
            whatever else is known.
    """

    of: Of
    repeat: int = 0
    fold: int = 0
    repeats: int
    folds: int
    intervals: str
    metrics: tuple[CardMetric, ...]
    causes: Mapping[str, Mapping[str, Any]]
    sample: Mapping[str, Any] = field(default_factory=dict)


def find_metrics(folder: Path, description: ModelDescription, weights: str) -> CardMetrics | str:
    """Return what was measured of a model, or the reason why nothing can be stated.

    Looked at are ``metrics.json`` of the folder, and of the cross-validation that it lies in. The
    numbers belong to the model of a fold where splits, seed, recipe and outcome are the same, to a
    refit or an ensemble where recipe, outcome and number of folds are, and to any model where they
    name its weights.

    Args:
        folder: Of the model.
        description: Of the model.
        weights: Their sha256.

    Raises:
        RunError: The file is damaged.
    """
    run = folder.absolute().parent
    places = [folder] + ([run] if (run / SPLITS_FILE).is_file() else [])
    path = next((one / METRICS_FILE for one in places if (one / METRICS_FILE).exists()), None)
    if path is None:
        return "no evaluation on subjects that this model has not seen lies beside it"
    content = read_plain_json(path)
    try:
        of = numbers_of(content, description, weights)
        return of.reason if isinstance(of, NotOfIt) else _found(content, of, description)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RunError(
            f"{path}: damaged ({type(error).__name__}: {error}); write it anew with survkit report"
        ) from error


def _found(content: Mapping[str, Any], of: Of, description: ModelDescription) -> CardMetrics:
    repeat, fold = description.training["seed"][1:] if of == "fold" else (0, 0)
    place = (repeat, fold) if of == "fold" else None
    return CardMetrics(
        of=of,
        repeat=repeat,
        fold=fold,
        repeats=int(content["repeats"]),
        folds=int(content["folds"]),
        intervals=_intervals(content["settings"]),
        metrics=tuple(_metrics(content, place)),
        causes=content["causes"],
        sample=content.get("external", {}),
    )


def _metrics(content: Mapping[str, Any], place: tuple[int, int] | None) -> Iterator[CardMetric]:
    """Yield the metrics, with those of one fold where its repeat and number are given."""
    from survkit.evaluation.metric_names import ALL_PAIRS, METRICS

    for cause, found in content["causes"].items():
        for name in METRICS:
            if name.key.endswith(ALL_PAIRS) or name.key not in found["metrics"]:
                continue
            held = found["metrics"][name.key]
            oracle = content.get("oracle", {}).get(cause, {}).get(name.key)
            own = [one for one in held["folds"] if (one["repeat"], one["fold"]) == place]
            if len(own) != (place is not None):
                raise KeyError(f"{name.key} of repeat and fold {place}")
            metric = CardMetric(cause, name, held["pooled"], own[0] if own else None, oracle)
            for result in metric.results:
                _check(result)
            yield metric


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
        interval = result.get("interval")
        if interval is not None and interval.get("lower") is not None:
            for key in ("lower", "upper", "level"):
                float(interval[key])
    int(result["n"])
    int(result["events"])
