"""The sections of a model card, in Markdown, from what the model's own files say.

Nothing is taken over whole: paths, levels of columns, sites, settings and subjects stay out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from survkit.hub.demonstration_label import LABEL
from survkit.hub.description import ModelDescription
from survkit.hub.installed import SESSION, UNKNOWN
from survkit.hub.local_paths import place_in

NOT_RECORDED = "not recorded"
_PREPARATION = (
    "spacing", "size", "crop", "fit", "window", "pad", "range", "color", "invert", "convert",
    "interpolation", "grid",
)  # fmt: skip
"""Keys of a cohort file that say how data are prepared; all others may say where they lie."""
_SCANS = ("volume", "image")
"""Kinds whose files, such as NIfTI and DICOM, core reads with its extra ``imaging`` alone."""
_MOST_COLUMNS = 30


def demonstration(description: ModelDescription) -> str | None:
    """Say before all else that weights are a demonstration; ``None`` of any other model."""
    label = description.training.get(LABEL)
    if label is None:
        return None
    command = label.get("command")
    made = "" if command is None or place_in(str(command)) else f" Made by {code(command)}."
    return (
        "> **DEMONSTRATION. Trained on synthetic phantoms, never on a patient. Of no use for "
        "patients: what it predicts for anybody means nothing.** "
        f"Phantoms trained on: {_plain_fact(label, 'subjects')}, drawn with the seed "
        f"{_plain_fact(label, 'seed')}.{made}"
    )


def _plain_fact(label: Mapping[str, Any], key: str) -> str:
    return str(label[key]) if type(label.get(key)) is int else NOT_RECORDED


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
    needed.discard("survkit-core")
    scans = any(one.get("kind") in _SCANS for one in description.preparation.values())
    needed.add('"survkit-core[imaging]"' if scans else "survkit-core")
    text = table(("role", "component", "distribution", "version"), rows)
    text += f"\n\n```bash\npip install {' '.join(sorted(needed))}\n```"
    if by_hand:
        text += "\n\nA component was added by hand before training; no distribution provides it."
    return text


def limits(description: ModelDescription) -> str:
    """Say what the model is for, and for whom nothing is known."""
    if LABEL in description.training:
        return (
            "To try the software: loading, predicting, publishing. It was trained on synthetic "
            "phantoms, so what it predicts for a patient means nothing. This is not a medical "
            "device and must not guide the care of anybody."
        )
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
