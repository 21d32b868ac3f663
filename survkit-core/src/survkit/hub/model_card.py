"""The model card: ``README.md`` of a model folder, made from what the folder records."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import yaml

from survkit.atomic_write import write_bytes
from survkit.errors import ConfigError, RunError
from survkit.hub import model_card_text as text
from survkit.hub import model_card_training
from survkit.hub.address import check_name, check_revision
from survkit.hub.card_mark import CARD_FILE, PICTURE_FILE, Card, marked
from survkit.hub.demonstration_label import LABEL
from survkit.hub.description import ModelDescription
from survkit.hub.installed import SESSION, UNKNOWN
from survkit.hub.load import from_pretrained
from survkit.hub.model_card_calibration import calibration
from survkit.hub.model_card_metrics import CardMetrics, find_metrics
from survkit.hub.model_card_performance import model_index, performance
from survkit.hub.model_files import WEIGHTS_FILE, sha256_of
from survkit.hub.model_folder import model_folder

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

    Where calibration was measured, its figure ``calibration.png`` is written beside it.

    Args:
        run: A model folder, or a run folder of ``survkit fit``.
        name: What the model is to be called on the Hub, such as ``org/name``.
        license: The Hub's name of it, such as ``apache-2.0``; none is stated by default.
        revision: Branch that it is to lie on, where not on ``main``.
        fold: Of a run of ``survkit cv``, the fold whose model is meant.
        overwrite: Replace a card that lies there, also an edited one, and its figure.

    Raises:
        ConfigError: The name, licence, revision or fold cannot be one.
        RunError: The folder holds no whole model, or a card or figure already.
    """
    folder = model_folder(Path(run), fold)
    for path in (folder / CARD_FILE, folder / PICTURE_FILE):
        if (path.exists() or path.is_symlink()) and not overwrite:
            raise RunError(f"{path}: is there already; edit it, or replace it with --overwrite")
    description = from_pretrained(folder).description
    card = model_card(folder, description, name, license=license, revision=revision)
    for file, content in reversed(card.files.items()):
        write_bytes(folder / file, content)
    if card.picture is None:  # that of an earlier card is of other numbers
        (folder / PICTURE_FILE).unlink(missing_ok=True)
    return folder / CARD_FILE


def model_card(
    folder: Path,
    description: ModelDescription,
    name: str,
    *,
    license: str | None = None,
    revision: str | None = None,
) -> Card:
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
    weights = sha256_of(folder / WEIGHTS_FILE)
    found = find_metrics(folder, description, weights)
    head = yaml.safe_dump(
        _metadata(description, name, license, found),
        sort_keys=False,
        allow_unicode=True,
        width=1000,
    )
    calibrated, picture = calibration(found, description)
    sections = {
        "What it predicts": text.predicts(description),
        "Inputs": text.inputs(description),
        "How to use it": text.usage(name, revision),
        "Intended use and limits": text.limits(description),
        "Cohort": model_card_training.cohort(description),
        "Training": model_card_training.training(description),
        "Performance": performance(found, description),
        "Calibration": calibrated,
        "Parts": text.parts(description),
    }
    papers = citations(description)
    if papers:
        sections["Cite"] = "\n".join(f"- {paper}" for paper in papers)
    warning = text.demonstration(description)
    body = "" if warning is None else f"{warning}\n\n"
    body += "\n\n".join(f"## {title}\n\n{content}" for title, content in sections.items())
    card = f"---\n{head}---\n\n# {name.rpartition('/')[2]}\n\n{body}\n\n"
    return marked(card, weights, picture)


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
    tags += [LABEL] if LABEL in description.training else []
    tags += ["medical-imaging"] if kinds & {"image", "volume"} else []
    tags += ["competing-risks"] if len(description.outcome.causes) > 1 else []
    tags += [tag for tag in sorted(plugins | set(description.readers)) if tag not in tags]
    data: dict[str, Any] = {"library_name": "survkit", "tags": tags}
    if license is not None:
        data["license"] = license
    if not isinstance(found, str):
        index = model_index(found, description, name)
        data |= {"model-index": index} if index[0]["results"] else {}
    return data


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
