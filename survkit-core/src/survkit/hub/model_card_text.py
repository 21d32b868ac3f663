"""The sections of a model card, in Markdown, from what the model's own files say.

Nothing is taken over whole: paths, levels of columns, sites, settings and subjects stay out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from survkit.hub.description import ModelDescription
from survkit.hub.installed import SESSION, UNKNOWN
from survkit.hub.model_card_metrics import CardMetrics

NOT_RECORDED = "not recorded"
_PREPARATION = (
    "spacing", "size", "crop", "fit", "window", "pad", "range", "color", "invert", "convert",
    "interpolation", "grid",
)  # fmt: skip
"""Keys of a cohort file that say how data are prepared; all others may say where they lie."""
_MOST_COLUMNS = 30


def predicts(description: ModelDescription) -> str:
    """Say what the numbers mean that come out."""
    outcome = description.outcome
    causes = ", ".join(code(cause) for cause in outcome.causes)
    kind = "competing causes" if len(outcome.causes) > 1 else "cause"
    return (
        f"For each subject, the probability of the event by each time up to "
        f"{outcome.horizon:g} {outcome.time_unit}; {kind}: {causes}. Beyond that horizon the model "
        "says nothing."
    )


def inputs(description: ModelDescription) -> str:
    """Tabulate what each encoder is given and how it is prepared."""
    rows = []
    for name, spec in description.inputs.items():
        modality = description.modality_of(name)
        declared = description.preparation.get(name, {})
        axes = " x ".join(str(size) for size in spec.shape)
        rows.append(
            (
                code(modality), code(name), spec.kind,
                ("any number of " if spec.has_tokens else "") + axes,
                _columns([column.name for column in spec.columns]), _prepared(declared),
            )
        )  # fmt: skip
    return table(("modality", "encoder", "kind", "shape", "columns", "preparation"), rows)


def _columns(names: Sequence[str]) -> str:
    if len(names) > _MOST_COLUMNS:
        return f"{len(names)} columns, named in `config.json`"
    return ", ".join(code(name) for name in names) or "–"


def _prepared(declared: Mapping[str, Any]) -> str:
    told = []
    for key in _PREPARATION:
        value = declared.get(key)
        if value is not None and value is not False and not is_path(str(value)):
            told.append(f"{key} {code(json.dumps(value))}")
    return ", ".join(told) or "–"


def parts(description: ModelDescription) -> str:
    """Tabulate the components with who provides them, and how to install those."""
    rows, needed, by_hand = [], set(), False
    for role, part in description.parts:
        provider = description.providers[part.name]
        rows.append(
            (code(role), code(part.name), code(provider.distribution), code(provider.version))
        )
        if provider.distribution in (SESSION, UNKNOWN):
            by_hand = True
        else:
            needed.add(provider.distribution)
    needed.add("survkit-core")
    text = table(("role", "component", "distribution", "version"), rows)
    text += f"\n\n```bash\npip install {' '.join(sorted(needed))}\n```"
    if by_hand:
        text += "\n\nA component was added by hand before training; no distribution provides it."
    return text


def training(description: ModelDescription) -> str:
    """List the facts of the training that were recorded."""
    facts = description.training
    cohort = facts.get("cohort")
    named = NOT_RECORDED if cohort is None else code(cohort)
    if cohort is not None and is_path(str(cohort)):
        named = "not told, as its name is a path"
    seed = facts.get("seed")
    lines = [
        f"Cohort: {named}",
        f"Subjects trained on: {_fact(facts, 'train_subjects')}",
        f"Subjects that chose the epoch: {_fact(facts, 'validation_subjects')}",
        f"Events among them: {NOT_RECORDED}",
        f"Epochs: {_fact(facts, 'epochs')}; chosen: {_fact(facts, 'best_epoch')} (counted from 0)",
        f"Networks whose predictions are averaged: {description.members}",
    ]
    if isinstance(seed, list) and len(seed) == 3:
        lines.append(
            f"The model is fold {seed[2]} of repeat {seed[1]} of a cross-validation: it was made "
            "without the subjects of that fold"
        )
    return "\n".join(f"- {line}" for line in lines)


def _fact(facts: Mapping[str, Any], key: str) -> str:
    """Return numbers as they are; anything else was not recorded."""
    value = facts.get(key)
    values = value if isinstance(value, list) else [value]
    whole = values and all(type(one) is int for one in values)
    return ", ".join(str(one) for one in values) if whole else NOT_RECORDED


def performance(found: CardMetrics | str, description: ModelDescription) -> str:
    """Tabulate what was measured, and say of what it is; or say that nothing was."""
    if isinstance(found, str):
        return f"**Not measured**: {found}."
    where = f"fold {found.fold} of repeat {found.repeat}"
    outcome = description.outcome
    rows = [
        (code(one.cause), one.name.label, one.name.best, result(one.own), result(one.pooled))
        for one in found.metrics
    ]
    several = f", averaged over {found.repeats} repeats" if found.repeats > 1 else ""
    return (
        f"Out-of-fold results of a cross-validation with {found.folds} folds, within the training "
        f"cohort, horizon {outcome.horizon:g} {outcome.time_unit}. *This model* is {where}, "
        "measured on the subjects of that fold, whom it has not seen. *The procedure* is all "
        f"folds together{several}: each subject was predicted by a model that had not seen it, so "
        "those numbers are of models like this one, not of this one. No other cohort was "
        "evaluated. Metrics are without unit; n subjects, E events; intervals, in brackets: "
        f"{plain(found.intervals)}.\n\n"
        + table(("cause", "metric", "best is", f"this model ({where})", "the procedure"), rows)
    )


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


def limits(description: ModelDescription) -> str:
    """Say what the model is for, and for whom nothing is known."""
    kinds = {spec.kind for spec in description.inputs.values()}
    imaging = " scanners, protocols," if kinds & {"image", "volume"} else ""
    return (
        "For research. This is not a medical device and must not guide the care of anybody. What "
        "is known of it holds for subjects like those of the training cohort; for other"
        f"{imaging} hospitals and populations it is not known, unless an evaluation there "
        "says so. Inputs must be prepared as above; survkit refuses others where it can see it."
    )


def usage(name: str, revision: str | None) -> str:
    """Show how to load the model and how to predict."""
    at = "" if revision is None else f', revision="{revision}"'
    option = "" if revision is None else f" --revision {revision}"
    return (
        f'```python\nimport survkit\n\nfitted = survkit.from_pretrained("{name}"{at})\n```\n\n'
        f"```bash\nsurvkit predict {name}{option} --cohort cohort.yaml --out predicted.csv\n```"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def code(text: object) -> str:
    """Return a name as code of one line, so that nothing in it is markup."""
    return "`" + " ".join(str(text).replace("`", "'").split()) + "`"


def plain(text: object) -> str:
    """Return a sentence of one line without markup."""
    line = " ".join(str(text).split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#" else sign for sign in line)


def is_path(text: str) -> bool:
    """Whether a text may say where something lies."""
    return "/" in text or "\\" in text
