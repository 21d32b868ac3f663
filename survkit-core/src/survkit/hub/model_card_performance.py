"""What a model card says of the numbers: what they are of, with interval, subjects and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survkit.hub.demonstration_label import LABEL
from survkit.hub.description import ModelDescription
from survkit.hub.model_card_belongs import FINAL
from survkit.hub.model_card_metrics import CardMetrics
from survkit.hub.model_card_text import NOT_RECORDED, code, is_path, plain, table


def performance(found: CardMetrics | str, description: ModelDescription) -> str:
    """Tabulate what was measured, and say of what it is; or say that nothing was."""
    if isinstance(found, str):
        return f"**Not measured**: {found}."
    outcome, columns = description.outcome, _columns(found)
    rows = [
        [code(one.cause), one.name.label, one.name.best]
        + [result(getattr(one, key)) for key in columns.values()]
        for one in found.metrics
    ]
    words = {"fold": _of_fold, "procedure": _of_procedure, "external": _external}
    return (
        f"{words[found.of](found, description)} Horizon {outcome.horizon:g} {outcome.time_unit}. "
        "Metrics are without unit; n subjects, E events; intervals, in brackets: "
        f"{plain(found.intervals)}.\n\n" + table(("cause", "metric", "best is", *columns), rows)
    )


def model_index(
    found: CardMetrics, description: ModelDescription, name: str
) -> list[dict[str, Any]]:
    """Return the defined results as the Hub reads them, each with its interval in its name.

    Of the model of a fold they are its own, on that fold. Those of a procedure say that they are.
    """
    horizon = f"{description.outcome.horizon:g} {description.outcome.time_unit}"
    of = "out-of-fold estimate of the procedure; " if found.of == "procedure" else ""
    metrics = []
    for one in found.metrics:
        held = one.pooled if one.own is None else one.own
        if held.get("value") is not None:
            label = f"{one.name.label}; {of}{' '.join(one.cause.split())}, {horizon}; "
            label += result(held)
            metrics.append({"type": one.name.key, "value": held["value"], "name": label})
    task = {"type": "survival-analysis", "name": "Survival analysis"}
    dataset = _dataset(found, description)
    results = [{"task": task, "dataset": dataset, "metrics": metrics}] if metrics else []
    return [{"name": name.rpartition("/")[2], "results": results}]


def result(found: Mapping[str, Any]) -> str:
    """Write one result with its interval, subjects and events; or why there is none."""
    if found.get("value") is None:
        return f"undefined: {plain(found['reason'])}, n {found['n']}, E {found['events']}"
    text = f"{number(found['value'])} "
    interval = found.get("interval")
    if interval is not None and interval.get("lower") is not None:
        lower, upper = number(interval["lower"]), number(interval["upper"])
        inside = interval["lower"] <= found["value"] <= interval["upper"]
        text += f"({100 * interval['level']:g}% {lower} to {upper}"
        text += "), " if inside else "; the value lies outside), "
    else:
        text += "(no interval), "
    return text + f"n {found['n']}, E {found['events']}"


def number(value: float) -> str:
    """Write three decimals; one digit of what would be 0.000."""
    return f"{value:.1g}" if 0 < abs(value) < 0.001 else f"{value:.3f}"


def _columns(found: CardMetrics) -> dict[str, str]:
    """Return which result of a metric stands under which heading."""
    if found.of == "fold":
        return {f"this model ({_place(found)})": "own", "the procedure": "pooled"}
    if found.of == "procedure":
        return {"the procedure": "pooled"}
    known = found.metrics and all(one.oracle is not None for one in found.metrics)
    return {"this model": "pooled", **({"the truth (oracle)": "oracle"} if known else {})}


def _of_fold(found: CardMetrics, description: ModelDescription) -> str:
    return (
        f"{_made(found)} *This model* is {_place(found)}, measured on the subjects of that fold, "
        f"whom it has not seen. *The procedure* is all folds together{_averaged(found)}: each "
        "subject was predicted by a model that had not seen it, so those numbers are of models "
        "like this one, not of this one. No other cohort was evaluated."
    )


def _of_procedure(found: CardMetrics, description: ModelDescription) -> str:
    ensemble = description.training[FINAL].get("by") == "ensemble"
    models = found.folds * found.repeats
    this = (
        f"the mean of the {models} models of those folds, was not tested itself**: nobody in the "
        "cohort is unseen by all of them"
        if ensemble
        else "a refit on the whole cohort, was not tested itself**: it has seen everybody"
    )
    return (
        f"{_made(found)} *The procedure* is all folds together{_averaged(found)}: each subject was "
        "predicted by a model that had not seen it, so the numbers are estimates of the procedure "
        f"that made this model. **This very model, {this}. No other cohort was evaluated."
    )


def _external(found: CardMetrics, description: ModelDescription) -> str:
    words = f"Results of this very model on {_sample(found)}, whom it has not seen."
    if "oracle" in _columns(found).values():
        words += (
            " *The truth* is the hazard by which those subjects were drawn; nothing predicts "
            "better but by chance."
        )
    return words


def _made(found: CardMetrics) -> str:
    return (
        f"Out-of-fold results of a cross-validation with {found.folds} folds, within the training "
        "cohort."
    )


def _averaged(found: CardMetrics) -> str:
    return f", averaged over {found.repeats} repeats" if found.repeats > 1 else ""


def _place(found: CardMetrics) -> str:
    return f"fold {found.fold} of repeat {found.repeat}"


def _sample(found: CardMetrics) -> str:
    """Say which cohort a model was tested on that it was not trained on."""
    subjects, seed = found.sample.get("subjects"), found.sample.get("seed")
    drawn = f" (drawn with the seed {seed})" if type(seed) is int else ""
    return f"the {subjects} subjects of the cohort {code(_sample_name(found))}{drawn}"


def _sample_name(found: CardMetrics) -> str:
    name = " ".join(str(found.sample.get("name") or NOT_RECORDED).split())
    return "another cohort" if is_path(name) else name


def _dataset(found: CardMetrics, description: ModelDescription) -> dict[str, str]:
    """Return what the Hub shows as the data that numbers are of."""
    cohort = " ".join(str(description.training.get("cohort") or NOT_RECORDED).split())
    cohort = "training cohort" if is_path(cohort) else cohort
    if found.of == "external":
        split = "external, not trained on"
        cohort = _sample_name(found)
        cohort += " (synthetic phantoms)" if LABEL in description.training else ""
    elif found.of == "procedure":
        split = f"all {found.folds} held-out folds, each predicted by another model"
    else:
        split = f"held-out {_place(found)}"
    return {"name": f"{cohort}, {split}", "type": "private", "split": split}
