"""What a model card says of the cohort that a model was trained on, and of how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from survkit.errors import RunError
from survkit.hub.demonstration_label import LABEL
from survkit.hub.description import ModelDescription
from survkit.hub.model_card_belongs import FINAL
from survkit.hub.model_card_text import NOT_RECORDED, code, is_path, plain, table
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
    parts = _parts(facts.get("train_part"))
    lines = [
        f"Cohort: {_named(facts.get('cohort'))}",
        f"Subjects trained on: {_fact(facts, 'train_subjects')}",
        f"Subjects that chose the epoch: {_fact(facts, 'validation_subjects')}",
        f"Events among those trained on, over all of their follow-up: {_events(parts)}",
        f"Median follow-up: {_joined(_follow_up(one['follow_up']) for one in parts)}",
        f"Sites: {_joined(_sites(one['sites']) for one in parts)}",
    ]
    groups = [one["groups"] for one in parts if one["groups"] is not None]
    if groups:
        counts = _joined(_whole(one["n"]) for one in groups)
        lines.append(
            f"The subjects are {plain(groups[0]['rows_are'])}, of {counts} "
            f"{plain(groups[0]['groups_are'])}"
        )
    if isinstance(facts.get("train_subjects"), list):
        lines.append("Where several numbers stand, they are those of the models, fold by fold")
    listed = "\n".join(f"- {line}" for line in lines)
    rows = list(_modalities(parts))
    if rows:
        listed += "\n\n" + table(("modality", "kind", "subjects with it", "without it"), rows)
    return f"{listed}\n\n{PHANTOMS if LABEL in facts else UNKNOWN_ITEMS}"


def _parts(recorded: Any) -> list[Mapping[str, Any]]:
    """Return what was recorded of the training part, or of one part per fold."""
    if recorded is None:
        return []
    return list(recorded) if isinstance(recorded, list) else [recorded]


def _joined(said: Iterable[str]) -> str:
    """Return what is said of every part, once where it is the same of all."""
    words = list(said)
    return ", ".join(words if len({*words}) > 1 else words[:1]) or NOT_RECORDED


def training(description: ModelDescription) -> str:
    """List the facts of the training that were recorded."""
    facts, seed = description.training, description.training.get("seed")
    lines = [
        f"Epochs: {_fact(facts, 'epochs')}; chosen: {_fact(facts, 'best_epoch', first=1)}",
        f"Networks whose predictions are averaged: {description.members}",
        *(
            f"Started from the file {code(one['name'])} ({code(setting)}), sha256 "
            f"{code(one['sha256'])}"
            for setting, one in facts.get("files", {}).items()
        ),
    ]
    if "init" in facts:
        lines.append(_start(facts["init"]))
    if FINAL in facts:
        lines.append(_final(facts[FINAL]))
    elif isinstance(seed, list) and len(seed) == 3:
        lines.append(
            f"The model is fold {seed[2]} of repeat {seed[1]} of a cross-validation: it was made "
            "without the subjects of that fold"
        )
    return "\n".join(f"- {line}" for line in lines)


def _start(init: Mapping[str, Any]) -> str:
    """Say from which weights the training started, and whom nobody can tell that they saw."""
    hub = init.get("hub")
    if isinstance(hub, Mapping):
        return (
            f"Started from the model {code(hub.get('repository', NOT_RECORDED))} on the Hub, "
            f"commit {code(hub.get('commit', NOT_RECORDED))}; whom those weights had seen is not "
            "known"
        )
    return f"Started from another trained model, weights {code(init.get('sha256', NOT_RECORDED))}"


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


def _fact(facts: Mapping[str, Any], key: str, *, first: int = 0) -> str:
    """Return numbers, counted from ``first`` where files count from 0; else: not recorded."""
    value = facts.get(key)
    values = value if isinstance(value, list) else [value]
    whole = [one + first for one in values if type(one) is int]
    return ", ".join(map(str, whole)) if values and len(whole) == len(values) else NOT_RECORDED


def _events(parts: Sequence[Mapping[str, Any]]) -> str:
    if not parts:
        return NOT_RECORDED
    said = [
        f"{code(name)} {_joined(_whole(one['events'][name]) for one in parts)}"
        for name in parts[0]["events"]
    ]
    censored = _joined(_whole(one["censored"]) for one in parts)
    return "; ".join([*said, f"censored {censored}"])


def _follow_up(found: Mapping[str, Any]) -> str:
    if "median" not in found:
        return f"not defined: {plain(found['reason'])}"
    return f"{float(found['median']):g} {plain(found['unit'])} ({plain(found['method'])})"


def _sites(count: object) -> str:
    return "no column of them was declared" if count is None else _whole(count)


def _modalities(parts: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    for name, first in (parts[0]["modalities"] if parts else {}).items():
        present = [int(one["modalities"][name]["present"]) for one in parts]
        absent = [int(one["subjects"]) - n for one, n in zip(parts, present, strict=True)]
        yield [code(name), plain(first["kind"]), _joined(map(str, present)),
               _joined(map(str, absent))]  # fmt: skip


def _whole(count: object) -> str:
    return str(count) if type(count) is int else NOT_RECORDED
