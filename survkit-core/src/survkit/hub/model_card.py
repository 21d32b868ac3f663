"""The model card: ``README.md`` of a model folder, made from what the folder records."""

from __future__ import annotations

import hashlib
import importlib
import re
from pathlib import Path
from typing import Any

import yaml

from survkit.atomic_write import write_bytes
from survkit.errors import ConfigError, RunError
from survkit.hub import model_card_text as text
from survkit.hub.address import check_name, check_revision
from survkit.hub.description import ModelDescription
from survkit.hub.installed import SESSION, UNKNOWN
from survkit.hub.load import from_pretrained, read_config
from survkit.hub.model_card_metrics import CardMetrics, find_metrics
from survkit.hub.model_files import CONFIG_FILE
from survkit.hub.model_folder import model_folder

CARD_FILE = "README.md"
_MARK = re.compile(
    r"<!-- written by survkit: weights ([0-9a-f]{64}), card ([0-9a-f]{64}) -->(?:\r?\n)?"
)
_YEAR = re.compile(r"\((?:19|20)\d\d\)")


def write_card(
    run: str | Path,
    name: str,
    *,
    license: str | None = None,
    revision: str | None = None,
    fold: str | int | None = None,
    overwrite: bool = False,
) -> Path:
    """Write ``README.md`` beside a model, to be read and edited before it is published.

    Args:
        run: A model folder, or a run folder of ``survkit fit``.
        name: What the model is to be called on the Hub, such as ``org/name``.
        license: The Hub's name of it, such as ``apache-2.0``; none is stated by default.
        revision: Branch that it is to lie on, where not on ``main``.
        fold: Of a run of ``survkit cv``, the fold whose model is meant.
        overwrite: Replace a card that lies there, also an edited one.

    Raises:
        ConfigError: The name, licence, revision or fold cannot be one.
        RunError: The folder holds no whole model, or a card already.
    """
    folder = model_folder(Path(run), fold)
    path = folder / CARD_FILE
    if (path.exists() or path.is_symlink()) and not overwrite:
        raise RunError(f"{path}: is there already; edit it, or replace it with --overwrite")
    description = from_pretrained(folder).description
    card = model_card(folder, description, name, license=license, revision=revision)
    return write_bytes(path, card.encode())


def model_card(
    folder: Path,
    description: ModelDescription,
    name: str,
    *,
    license: str | None = None,
    revision: str | None = None,
) -> str:
    """Return the card of a model; the same files give the same card, byte for byte.

    It claims what was recorded or measured, and says of the rest that it was not.

    Args:
        folder: Of the model; its ``metrics.json`` is looked at, and that of its cross-validation.
        description: Of the model.
        name: On the Hub.
        license: As the Hub calls it.
        revision: Branch that it lies on, where not on ``main``.

    Raises:
        ConfigError: The name, licence or revision cannot be one.
        RunError: ``metrics.json`` is damaged.
    """
    check_name(name)
    check_revision(revision)
    _check_license(license)
    found = find_metrics(folder, description)
    head = yaml.safe_dump(
        _metadata(description, name, license, found),
        sort_keys=False,
        allow_unicode=True,
        width=1000,
    )
    sections = {
        "What it predicts": text.predicts(description),
        "Inputs": text.inputs(description),
        "How to use it": text.usage(name, revision),
        "Intended use and limits": text.limits(description),
        "Training": text.training(description),
        "Performance": text.performance(found, description),
        "Parts": text.parts(description),
    }
    papers = citations(description)
    if papers:
        sections["Cite"] = "\n".join(f"- {paper}" for paper in papers)
    body = "\n\n".join(f"## {title}\n\n{content}" for title, content in sections.items())
    card = f"---\n{head}---\n\n# {name.rpartition('/')[2]}\n\n{body}\n\n"
    weights = read_config(folder / CONFIG_FILE)["weights_sha256"]
    return f"{card}<!-- written by survkit: weights {weights}, card {_sha256(card)} -->\n"


def is_untouched(card: str) -> bool:
    """Whether a card is one that survkit wrote and nobody edited since."""
    mark = _MARK.search(card)
    return mark is not None and card == (
        f"{card[: mark.start()]}<!-- written by survkit: weights {mark[1]}, card "
        f"{_sha256(card[: mark.start()])} -->\n"
    )


def check_card(path: Path, weights: str) -> None:
    """Refuse a card that survkit wrote for other weights than those beside it.

    Raises:
        RunError: It is the card of another model.
    """
    mark = _MARK.search(path.read_bytes().decode(errors="replace"))
    if mark is not None and mark[1] != weights:
        raise RunError(
            f"{path}: was written for the weights {mark[1][:12]}…, but the model has "
            f"{weights[:12]}…; write it anew with survkit card --overwrite, or delete it"
        )


def _sha256(card: str) -> str:
    return hashlib.sha256(card.encode()).hexdigest()


def _check_license(license: str | None) -> None:
    if license is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", license):
        raise ConfigError(
            f"a licence is written as the Hub names it, such as apache-2.0 or cc-by-nc-4.0, not "
            f"{license!r}"
        )


def _metadata(
    description: ModelDescription, name: str, license: str | None, found: CardMetrics | str
) -> dict[str, Any]:
    """Return what the Hub reads: it finds the model by tags, and shows the numbers."""
    names = [part.name.partition("/") for _, part in description.parts]
    plugins = {plugin for plugin, _, own in names if own} - {"survkit"}
    kinds = {spec.kind for spec in description.inputs.values()}
    tags = ["survkit", "survival-analysis"]
    tags += ["medical-imaging"] if kinds & {"image", "volume"} else []
    tags += ["competing-risks"] if len(description.outcome.causes) > 1 else []
    tags += [tag for tag in sorted(plugins | set(description.readers)) if tag not in tags]
    data: dict[str, Any] = {"library_name": "survkit", "tags": tags}
    if license is not None:
        data["license"] = license
    if not isinstance(found, str):
        index = _model_index(description, name, found)
        data |= {"model-index": index} if index[0]["results"] else {}
    return data


def _model_index(
    description: ModelDescription, name: str, found: CardMetrics
) -> list[dict[str, Any]]:
    """Return the defined results of this very model; those of the procedure are in the text."""
    horizon = f"{description.outcome.horizon:g} {description.outcome.time_unit}"
    cohort = " ".join(str(description.training.get("cohort") or text.NOT_RECORDED).split())
    if text.is_path(cohort):
        cohort = "training cohort"
    metrics = [
        {
            "type": one.name.key,
            "value": one.own["value"],
            "name": f"{one.name.label}; {' '.join(one.cause.split())}, {horizon}; "
            f"{text.result(one.own)}",
        }
        for one in found.metrics
        if one.own.get("value") is not None
    ]
    dataset = {
        "name": f"{cohort}, held-out fold {found.fold} of repeat {found.repeat}",
        "type": "private",
        "split": f"held-out fold {found.fold} of repeat {found.repeat}",
    }
    task = {"type": "survival-analysis", "name": "Survival analysis"}
    results = [{"task": task, "dataset": dataset, "metrics": metrics}] if metrics else []
    return [{"name": name.rpartition("/")[2], "results": results}]


def citations(description: ModelDescription) -> list[str]:
    """Return the paragraphs with a year of what the plugins say about themselves."""
    from survkit.plugins import default_registry

    registry, found = default_registry(), []
    for _, part in description.parts:
        if description.providers[part.name].distribution in (SESSION, UNKNOWN):
            continue
        package = registry.find(part.kind, part.name).target.partition(":")[0].partition(".")[0]
        if package == "survkit":
            continue
        said = importlib.import_module(package).__doc__ or ""
        found += [text.plain(one) for one in said.split("\n\n") if _YEAR.search(one)]
    return list(dict.fromkeys(found))
