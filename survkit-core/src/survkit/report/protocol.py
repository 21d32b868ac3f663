"""The protocol in words: who, when, split how, fitted where, chosen how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from survkit.report.numbers import Numbers
from survkit.report.run_facts import RunFacts, versions

Line = tuple[str, Markup]


def protocol(numbers: Numbers, facts: RunFacts) -> list[Line]:
    """Return the lines of the protocol section."""
    lines = [("Cohort", _cohort(numbers, facts)), ("Outcome", _outcome(numbers))]
    if facts.left_out:
        who = f"{', '.join(facts.left_out)} ({len(facts.left_out)} of the table): {_LEFT_OUT}"
        lines.append(("Subjects left out", escape(who)))
    if numbers.at("strata"):
        counted = Markup("{} strata. ").format(numbers.number("strata", style="count"))
        lines.append(("Strata", counted + Markup(_STRATA)))
    lines.append(("Validation", _validation(numbers)))
    training = facts.recipe.get("training")
    baseline = "baseline" in facts.recipe
    if isinstance(training, Mapping) and not baseline:
        lines.append(("Choice of the epoch", escape(epoch_choice(training))))
        if training.get("corruptions"):
            lines.append(("Corrupted in training", escape(corrupted(training["corruptions"]))))
    if facts.starts:
        told = Markup("<br>").join(f"{text}." for text in facts.starts)
        lines.append(("Trained weights", told))
    search = facts.recipe.get("search")
    if isinstance(search, Mapping) and search:
        tried = "; ".join(f"{path} among {values}" for path, values in search.items())
        chosen_on = _BASELINE_CHOOSES if baseline else _chosen_on(training)
        lines.append(("Choice of settings", escape(f"{chosen_on}: {tried}.")))
    elif baseline and facts.choices:
        lines.append(("Choice of settings", escape(f"{_BASELINE_CHOOSES}.")))
    if facts.choices:
        chosen = Markup("<br>").join(f"{name}: {value}" for name, value in facts.choices)
        lines.append(("What was chosen", chosen))
    if facts.recipe:  # a table from elsewhere cannot promise it
        lines.append(("Fitted inside folds", Markup(_FITTED)))
    lines.append(("Intervals", _intervals(numbers)))
    lines.append(("Seed of the run", numbers.number("run_seed", style="count")))
    lines.append(("Splits", Markup("<code>{}</code>").format(numbers.at("splits_hash"))))
    lines.append(("Predictions", Markup("<code>{}</code>").format(numbers.at("predictions"))))
    lines.append(("Page made with", escape(versions())))
    return lines


_BASELINE_CHOOSES = "In an inner cross-validation of the training part of each fold"


def _chosen_on(training: object) -> str:
    """Return where the search chose; runs from before inner folds have no ``search_folds``."""
    folds = training.get("search_folds", 1) if isinstance(training, Mapping) else 1
    if folds == 1:
        return "In the inner validation part of each fold"
    return f"By {folds}-fold cross-validation inside the training part of each fold"


_FITTED = (
    "Scaling, imputation, category levels, time grids, baseline hazards and the censoring model of "
    "the Brier scores are fitted on the training subjects of each fold."
)


_STRATA = (
    "Concordances compare subjects of one stratum only. A model keeps one baseline hazard for all "
    "of them, so predicted probabilities, and the metrics of them, know no strata."
)


_LEFT_OUT = "their event is missing, and the cohort file says outcome.unknown: exclude."


_BEST = {
    "concordance": "highest concordance",
    "antolini": "highest time-dependent concordance (Antolini)",
    "loss": "lowest loss",
}
"""By ``training.monitor``, what chose the epoch."""


def corrupted(corruptions: Sequence[Mapping[str, Any]]) -> str:
    """Say what the inputs of training subjects met, from the recipe's training section."""
    told = []
    for one in corruptions:
        settings = {name: value for name, value in one.items() if name not in _NO_SETTING}
        words = ", ".join(f"{name}={value}" for name, value in settings.items())
        share = f"{one.get('probability', 1.0):.0%}"
        told.append(f"{one['modality']}: {one['use']}{f' ({words})' if words else ''}, {share}")
    return (
        f"{'; '.join(told)} of the training subjects, drawn anew in every epoch; validation and "
        "test subjects are as they were read."
    )


_NO_SETTING = ("modality", "use", "probability")


def epoch_choice(training: Mapping[str, Any]) -> str:
    """Say how the reported epoch was chosen, from the recipe's training section."""
    share = training.get("validation", 0.2)
    epochs = training.get("epochs", 100)
    if not share:
        return f"No choice: every model was trained for all {epochs} epochs."
    monitor = training.get("monitor", "concordance")
    best = _BEST.get(monitor, f"best {monitor}")
    patience = training.get("patience")
    stop = f", stopping after {patience} epochs without a better one" if patience else ""
    return (
        f"{share:.0%} of the training subjects of each fold were set aside; of up to {epochs} "
        f"epochs the one with the {best} on them was kept{stop}. The subjects reported on here "
        "took "
        "no part in the choice."
    )


def _cohort(numbers: Numbers, facts: RunFacts) -> Markup:
    named = Markup("{}: ").format(facts.cohort) if facts.cohort else Markup("")
    parts = [Markup("{} subjects").format(numbers.number("subjects", style="count"))]
    if numbers.at().get("groups"):
        count = numbers.number("groups", style="count")
        parts.append(Markup("in {} groups that no fold parts").format(count))
    for cause in numbers.at("causes"):
        count = numbers.number("causes", cause, "events", style="count")
        parts.append(Markup("{} with {}").format(count, cause))
    parts.append(Markup("{} censored").format(numbers.number("censored", style="count")))
    sites = numbers.at("sites")
    if sites:
        parts.append(escape(f"{len(sites)} sites ({', '.join(sites)})"))
    return named + Markup(", ").join(parts) + "."


def _outcome(numbers: Numbers) -> Markup:
    return Markup("{}, by {} {}; followed for up to {} {}.").format(
        " or ".join(numbers.at("causes")),
        numbers.number("horizon", style="plain"),
        numbers.at("time_unit"),
        numbers.number("largest_duration", style="plain"),
        numbers.at("time_unit"),
    )


def _validation(numbers: Numbers) -> Markup:
    if numbers.at("folds") < 2:
        return Markup("One model on a held-out set of subjects.")
    repeated = Markup("")
    if numbers.at("repeats") > 1:
        repeated = Markup(", repeated {} times").format(numbers.number("repeats", style="count"))
    return Markup(
        "Cross-validation by subject with {} folds{}: every subject was predicted by a model "
        "trained without it."
    ).format(numbers.number("folds", style="count"), repeated)


def _intervals(numbers: Numbers) -> Markup:
    settings = numbers.at("settings")
    kind = settings.get("cluster", "subject")
    over = "subjects" if kind == "subject" else f"whole {kind}s"
    resampled = Markup(
        "{} percentile intervals from {} bootstrap resamples of {} (seed {})"
    ).format(
        numbers.number("settings", "level", style="level"),
        numbers.number("settings", "replicates", style="count"),
        over,
        numbers.number("settings", "seed", style="count"),
    )
    if settings.get("interval", "bootstrap") == "jackknife":
        made = Markup("{} intervals by the infinitesimal jackknife over {}").format(
            numbers.number("settings", "level", style="level"), over
        )
        if settings["replicates"]:
            made += Markup("; where that has no derivative, {}").format(resampled)
    elif settings["replicates"]:
        made = resampled
    else:
        return Markup("None were asked for.")
    return made + Markup(
        "; the censoring model is estimated anew in each. They do not include the variation of "
        "training itself."
    )
