"""What a model card says of the cohort that a model was trained on, and of how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from survkit.errors import RunError
from survkit.hub.description import ModelDescription
from survkit.hub.model_card_belongs import FINAL
from survkit.hub.model_card_text import DEMONSTRATION, NOT_RECORDED, code, is_path, plain, table
from survkit.hub.model_files import CONFIG_FILE

UNKNOWN_ITEMS = (
    "Not recorded, so not told here: criteria of inclusion, dates, treatment, scanners and "
    "protocols, and how age, sex, ethnicity and stage were distributed. Whoever publishes the "
    "model adds what they know (items of TRIPOD+AI and CLAIM)."
)
PHANTOMS = "These are synthetic phantoms, drawn by survkit; no patient's data are among them."


def cohort(description: ModelDescription) -> str:
    """Describe those whom the model was trained on, as far as it was recorded.

    Raises:
        RunError: What was recorded is damaged.
    """
    try:
        return _described(description.training)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RunError(
            f"{CONFIG_FILE}: what it says of the cohort is damaged ({type(error).__name__}: "
            f"{error}); get the model anew"
        ) from error


def _described(facts: Mapping[str, Any]) -> str:
    part = facts.get("train_part")
    known: Mapping[str, Any] = part if isinstance(part, Mapping) else {}
    lines = [
        f"Cohort: {_named(facts.get('cohort'))}",
        f"Subjects trained on: {_fact(facts, 'train_subjects')}",
        f"Subjects that chose the epoch: {_fact(facts, 'validation_subjects')}",
        f"Events among those trained on, by cause: {_events(known)}",
        f"Follow-up: {_follow_up(known.get('follow_up'))}",
        f"Sites: {_sites(known)}",
    ]
    groups = known.get("groups")
    if isinstance(groups, Mapping):
        lines.append(
            f"The subjects are {groups['rows_are']}, of {groups['n']} {groups['groups_are']}"
        )
    listed = "\n".join(f"- {line}" for line in lines)
    rows = list(_modalities(known))
    if rows:
        listed += "\n\n" + table(("modality", "kind", "subjects with it", "without it"), rows)
    return f"{listed}\n\n{PHANTOMS if DEMONSTRATION in facts else UNKNOWN_ITEMS}"


def training(description: ModelDescription) -> str:
    """List the facts of the training that were recorded."""
    facts, seed = description.training, description.training.get("seed")
    lines = [
        f"Epochs: {_fact(facts, 'epochs')}; chosen: {_fact(facts, 'best_epoch')} (counted from 0)",
        f"Networks whose predictions are averaged: {description.members}",
        *(
            f"Started from the file {code(one['name'])} ({code(setting)}), sha256 "
            f"{code(one['sha256'])}"
            for setting, one in facts.get("files", {}).items()
        ),
    ]
    if FINAL in facts:
        lines.append(_final(facts[FINAL]))
    elif isinstance(seed, list) and len(seed) == 3:
        lines.append(
            f"The model is fold {seed[2]} of repeat {seed[1]} of a cross-validation: it was made "
            "without the subjects of that fold"
        )
    return "\n".join(f"- {line}" for line in lines)


def _final(final: Mapping[str, Any]) -> str:
    repeats = final.get("repeats")
    run = f"a cross-validation with {final.get('folds')} folds"
    run += f" and {repeats} repeats" if repeats != 1 else ""
    if final.get("by") == "ensemble":
        return f"The model is the mean of all models of {run}; each saw all but one fold"
    return f"The model was trained anew on the whole cohort after {run}"


def _named(name: object) -> str:
    if name is None:
        return NOT_RECORDED
    return "not told, as its name is a path" if is_path(str(name)) else code(name)


def _fact(facts: Mapping[str, Any], key: str) -> str:
    """Return numbers as they are; anything else was not recorded."""
    value = facts.get(key)
    values = value if isinstance(value, list) else [value]
    whole = values and all(type(one) is int for one in values)
    return ", ".join(str(one) for one in values) if whole else NOT_RECORDED


def _events(part: Mapping[str, Any]) -> str:
    events = part.get("events")
    if not isinstance(events, Mapping):
        return NOT_RECORDED
    said = ", ".join(f"{code(name)} {_whole(count)}" for name, count in events.items())
    return f"{said}; censored {_whole(part.get('censored'))}"


def _follow_up(found: object) -> str:
    if not isinstance(found, Mapping):
        return NOT_RECORDED
    if "median" not in found:
        return f"median not defined: {plain(found['reason'])}"
    return f"median {float(found['median']):g} {plain(found['unit'])} ({plain(found['method'])})"


def _sites(part: Mapping[str, Any]) -> str:
    if "sites" not in part:
        return NOT_RECORDED
    sites = part["sites"]
    return "no column of them was declared" if sites is None else _whole(sites)


def _modalities(part: Mapping[str, Any]) -> Iterator[list[str]]:
    found, subjects = part.get("modalities"), part.get("subjects")
    if not isinstance(found, Mapping) or type(subjects) is not int:
        return
    for name, one in found.items():
        present = int(one["present"])
        yield [code(name), plain(one["kind"]), str(present), str(subjects - present)]


def _whole(count: object) -> str:
    return str(count) if type(count) is int else NOT_RECORDED
