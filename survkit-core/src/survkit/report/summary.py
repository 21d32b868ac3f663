"""The first paragraph, and what to know before believing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from survkit.evaluation.metric_names import HARRELL, METRICS, OBSERVED_EXPECTED
from survkit.report.metric_groups import holds_chance, shown_metrics
from survkit.report.numbers import Numbers

FEW_EVENTS = 100
"""Collins et al. (2016) ask for at least 100 events in a validation sample."""
_BY_KEY = {item.key: item for item in METRICS}
FEW_SITES = 10
"""Cameron, Gelbach and Miller (2008): with fewer clusters their variation is hardly known."""
DRIFT = 0.03
"""A gap between pairs within folds and all pairs that is worth a word."""


def summary(numbers: Numbers) -> list[Markup]:
    """Say in plain words how well subjects are ranked, and how right the probabilities are."""
    sentences = []
    for cause in numbers.at("causes"):
        sentences.append(_ranking(numbers, cause) + " " + _groups(numbers, cause))
        if numbers.defined("causes", cause, "metrics", OBSERVED_EXPECTED, "pooled"):
            sentences.append(
                Markup(
                    "By {} {}, {} was observed {} times as often as predicted; 1 would be exactly "
                    "as often."
                ).format(
                    numbers.number("horizon", style="plain"),
                    numbers.at("time_unit"),
                    cause,
                    numbers.result("causes", cause, "metrics", OBSERVED_EXPECTED, "pooled"),
                )
            )
    return sentences


def cautions(numbers: Numbers) -> list[Markup]:
    """List what limits the numbers on this page."""
    found = []
    for cause in numbers.at("causes"):
        if numbers.at("causes", cause, "events_by_horizon") < FEW_EVENTS:
            found.append(
                Markup(
                    "Only {} events ({}) happened by the horizon. Intervals are wide, and small "
                    "differences between models cannot be seen."
                ).format(numbers.number("causes", cause, "events_by_horizon", style="count"), cause)
            )
        found += _undefined_folds(numbers, cause) + _drift(numbers, cause)
    kind = numbers.at("settings").get("cluster")
    there = {"site": len(numbers.at("sites")), "group": numbers.at().get("groups", 0)}
    if there.get(kind, FEW_SITES) < FEW_SITES:
        found.append(
            escape(
                f"Intervals draw whole {kind}s, of which there are {there[kind]}: they are rough."
            )
        )
    how = "cross-validated in" if numbers.at("folds") > 1 else "from a held-out part of"
    found.append(
        escape(
            f"The results are {how} one cohort. They do not show how the model does at another "
            "hospital, on other scanners or in later years."
        )
    )
    return found


def _ranking(numbers: Numbers, cause: str) -> Markup:
    path = ("causes", cause, "metrics", HARRELL, "pooled")
    if not numbers.defined(*path):
        return Markup("How well the model ranks subjects by their risk of {} is {}.").format(
            cause, numbers.result(*path)
        )
    return Markup(
        "Of two subjects of whom it is known who had the event ({}) first, the model gave that "
        "subject the higher risk in {} of pairs{}.{}{}"
    ).format(
        cause,
        numbers.number(*path, "value", style="percent"),
        _interval(numbers, *path),
        _SCALE if cause == next(iter(numbers.at("causes"))) else "",
        _against_chance(numbers.at(*path)),
    )


_SCALE = " Guessing would give 50%, a perfect order 100%."


def _against_chance(result: Mapping[str, Any]) -> Markup:
    """Say where the interval does not speak for the model."""
    headline = _BY_KEY[HARRELL]
    if holds_chance(headline, result):
        return Markup(
            " <strong>The interval holds 50%: there is no evidence here that the model ranks "
            "subjects better than guessing.</strong>"
        )
    interval = result["interval"]
    if interval is not None and headline.chance and interval["upper"] < headline.chance:
        return Markup(
            " <strong>The whole interval lies below 50%: the model ranks subjects the wrong way "
            "round; look for a sign that was turned.</strong>"
        )
    return Markup("")


def _interval(numbers: Numbers, *path: str) -> Markup:
    if numbers.at(*path, "interval") is None:
        return Markup("")
    return Markup(" ({} interval {} to {})").format(
        numbers.number("settings", "level", style="level"),
        numbers.number(*path, "interval", "lower", style="percent"),
        numbers.number(*path, "interval", "upper", style="percent"),
    )


def _groups(numbers: Numbers, cause: str) -> Markup:
    groups = numbers.at("causes", cause, "risk_groups")
    last = len(groups) - 1
    base = ("causes", cause, "risk_groups")
    if last < 1 or not (numbers.defined(*base, 0) and numbers.defined(*base, last)):
        return Markup("")
    share = {1: "half", 2: "third"}[last]
    return Markup(
        "In the {share} with the lowest predicted risk {low} had it by {horizon} {unit}; in the "
        "{share} with the highest, {high}."
    ).format(
        share=share,
        low=numbers.number(*base, 0, "value", style="percent"),
        high=numbers.number(*base, last, "value", style="percent"),
        horizon=numbers.number("horizon", style="plain"),
        unit=numbers.at("time_unit"),
    )


def _undefined_folds(numbers: Numbers, cause: str) -> list[Markup]:
    """One line per reason, however many metrics it takes away."""
    labels: dict[tuple[int, int, str], list[str]] = {}
    for metric in shown_metrics(numbers, cause):
        folds = numbers.at("causes", cause, "metrics", metric.key, "folds")
        missing = [fold for fold in folds if "reason" in fold]
        if missing and len(missing) < len(folds):
            why = (len(missing), len(folds), missing[0]["reason"])
            labels.setdefault(why, []).append(metric.label)
    return [
        escape(
            f"Not defined in {missing} of {of} folds for {cause} ({reason}), and left out of means "
            f"over folds: {'; '.join(names)}."
        )
        for (missing, of, reason), names in labels.items()
    ]


def _drift(numbers: Numbers, cause: str) -> list[Markup]:
    base = ("causes", cause, "metrics")
    paths = [(*base, key, "pooled") for key in (HARRELL, "harrell_concordance_all_pairs")]
    if not all(numbers.defined(*path) for path in paths):
        return []
    within, across = (float(numbers.at(*path, "value")) for path in paths)
    if abs(within - across) < DRIFT:
        return []
    return [
        Markup(
            "Harrell's concordance for {} is {} within folds and {} over all pairs: risk scores of "
            "different folds are not on one scale, so compare subjects across folds by "
            "probabilities."
        ).format(cause, *(numbers.number(*path, "value") for path in paths))
    ]
