"""The metrics in groups: is the order right, are the probabilities right, both at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from survkit.evaluation.metric_names import ALL_PAIRS, HARRELL, METRICS, MetricName
from survkit.report.numbers import Numbers
from survkit.report.tables import Record, flat

GROUPS = {
    "discrimination": "Discrimination: who has the event earlier?",
    "calibration": "Calibration: are the predicted probabilities right?",
    "overall": "Overall: both at once",
}
_BEST = {"highest": "higher", "lowest": "lower", "one": "1", "zero": "0"}
_TWINS = ("harrell_concordance_all_pairs", "antolini_concordance_within_folds")


def shown_metrics(numbers: Numbers, cause: str) -> tuple[MetricName, ...]:
    """Return the metrics that the file holds, in their order.

    With one fold, pairs within folds are all pairs: shown once.
    """
    single = numbers.at("folds") < 2
    held = numbers.at("causes", cause, "metrics")
    return tuple(m for m in METRICS if m.key in held and not (single and m.key in _TWINS))


def group_of(metric: MetricName) -> str:
    """Return the group that the metric names, or the one that its best value tells."""
    named = getattr(metric, "group", None)
    if named in GROUPS:
        return str(named)
    if metric.best == "one":
        return "calibration"
    return "discrimination" if metric.chance == 0.5 else "overall"


def holds_chance(metric: MetricName, result: Mapping[str, Any]) -> bool:
    """Say whether the interval holds what guessing would give; only of concordances and AUCs."""
    interval = result.get("interval")
    if interval is None or metric.chance is None or group_of(metric) != "discrimination":
        return False
    return bool(interval["lower"] <= metric.chance <= interval["upper"])


def grouped_metrics(numbers: Numbers, cause: str) -> tuple[Mapping[str, Any], ...]:
    """Return the groups with their rows, for the template."""
    metrics = shown_metrics(numbers, cause)
    found = []
    for group, title in GROUPS.items():
        rows = [_row(numbers, cause, item) for item in metrics if group_of(item) == group]
        if rows:
            found.append({"name": group, "title": title, "rows": tuple(rows)})
    return tuple(found)


def metric_records(numbers: Numbers, cause: str) -> tuple[Record, ...]:
    """Return every metric unrounded, one row each."""
    records = []
    for item in shown_metrics(numbers, cause):
        found = numbers.at("causes", cause, "metrics", item.key)
        spread = found["across_folds"]
        records.append(
            {"cause": cause, "group": group_of(item), "metric": item.key, "label": item.label}
            | flat(found["pooled"])
            | {"mean_over_folds": spread["mean"], "sd_over_folds": spread["sd"]}
            | {"sd_over_repeats": found["across_repeats"]["sd"]}
            | {"method": found["pooled"].get("method")}
        )
    return tuple(records)


def _row(numbers: Numbers, cause: str, item: MetricName) -> Mapping[str, Any]:
    base = ("causes", cause, "metrics", item.key)
    spread = numbers.at(*base, "across_folds")
    across = Markup("{} ({})").format(
        numbers.number(*base, "across_folds", "mean"), numbers.number(*base, "across_folds", "sd")
    )
    if not spread["defined"]:
        across = Markup("defined in no fold")
    elif spread["defined"] < spread["of"]:
        across += Markup(" in {} of {} folds").format(
            numbers.number(*base, "across_folds", "defined", style="count"),
            numbers.number(*base, "across_folds", "of", style="count"),
        )
    if item.key.endswith(ALL_PAIRS):  # a fold alone has no pairs across folds
        across = Markup("–")
    pooled = numbers.result(*base, "pooled")
    if holds_chance(item, numbers.at(*base, "pooled")):
        pooled += Markup(' <span class="undefined">not told from guessing</span>')
    return {
        "label": item.label,
        "pooled": pooled,
        "across_folds": across,
        "across_repeats": numbers.number(*base, "across_repeats", "sd"),
        "best": _BEST.get(item.best, item.best),
        "headline": item.key == HARRELL,
    }
