"""Everything that the template shows, in its order."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from survkit.evaluation.metric_names import HARRELL, OBSERVED_EXPECTED
from survkit.report.attention import DOCUMENT as ATTENTION
from survkit.report.attention import attention_section, read_attention
from survkit.report.audit_section import audit_section
from survkit.report.cause_section import cause_section
from survkit.report.checklist import checklist, checklist_table
from survkit.report.cohort_section import cohort_section
from survkit.report.comparison_section import comparison_section
from survkit.report.documents import (
    AUDIT_FILE,
    COHORT_FILE,
    EXPLAIN_FILE,
    IMPORTANCE_FILE,
    STRESS_FILE,
    read_cohort_summary,
    read_document,
)
from survkit.report.explain_section import explain_section
from survkit.report.health_section import health_section, read_warnings
from survkit.report.importance_section import DOCUMENT as IMPORTANCE
from survkit.report.importance_section import importance_section
from survkit.report.learning_figure import learning_figure
from survkit.report.learning_log import read_learning_logs
from survkit.report.metric_groups import shown_metrics
from survkit.report.model_section import DOCUMENT as MODEL
from survkit.report.model_section import model_section, read_model_sizes
from survkit.report.numbers import Numbers
from survkit.report.page_files import PageFiles
from survkit.report.protocol import protocol
from survkit.report.runs import DOCUMENT as COMPARISON
from survkit.report.runs import Run
from survkit.report.stress_section import stress_section
from survkit.report.summary import cautions, summary
from survkit.report.title import page_title


@dataclass(frozen=True, slots=True, kw_only=True)
class PageParts:
    """What a page is made of.

    Attributes:
        run: The run, evaluated.
        folder: Where it lies.
        numbers: Its ``metrics.json``.
        files: What goes beside the page.
        compared: Content of ``comparison.json``, where there are further runs.
        title: Given by the caller.
    """

    run: Run
    folder: Path
    numbers: Numbers
    files: PageFiles
    compared: Mapping[str, Any] | None
    title: str


def render(parts: PageParts, *, beside: str) -> str:
    """Return the page as HTML, and leave its figures and tables in ``parts.files``.

    Args:
        parts: What it is made of.
        beside: Name of the folder of figures and tables.
    """
    numbers, facts = parts.numbers, parts.run.facts
    title = page_title(parts.title, facts, numbers)
    page: dict[str, Any] = {
        "version": version("survkit-core"),
        "title": title,
        "subtitle": _subtitle(numbers, facts.cohort, title),
        "level": numbers.number("settings", "level", style="level"),
        "folded": numbers.at("folds") > 1,
        "repeated": numbers.at("repeats") > 1,
        "summary": summary(numbers),
        "cautions": cautions(numbers),
        "tiles": _tiles(numbers),
        **_sections(parts),
        "protocol": protocol(numbers, facts),
        "recipe": facts.recipe_text,
        "meanings": meanings(numbers),
    }
    if page["audit"] is not None and page["audit"]["errors"]:
        page["cautions"].append(Markup(_AUDIT_ERRORS))
    if page["health"] is not None and page["health"]["table"] is not None:
        page["cautions"].append(Markup(_WARNED))
    if facts.unknown_exposure:
        page["cautions"].append(Markup(_UNKNOWN_EXPOSURE))
    template = _template()
    anchors = set(re.findall(r'id="([^"]+)"', template.render(page=page | _UNKNOWN)))
    parts.files.table(checklist_table(anchors))
    page["checklist"] = checklist(anchors)
    page["files"] = parts.files.listing(beside)
    return str(template.render(page=page))


STRESS, EXPLAIN = "stress.json", "explain.json"
_UNKNOWN: dict[str, Any] = {"checklist": (), "files": ()}
"""The checklist links to places of the page, which are known once the rest of it is made."""
_AUDIT_ERRORS = 'The audit of this run found errors; see <a href="#audit">the audit</a> first.'

_UNKNOWN_EXPOSURE = (
    "Nobody can tell which subjects the weights that training started from have seen; see "
    '<a href="#protocol">the protocol</a>.'
)
_WARNED = 'Parts of the model gave warnings during training; see <a href="#health">its health</a>.'


def meanings(numbers: Numbers) -> list[tuple[str, Markup]]:
    """Explain the metrics and the words around them."""
    first = next(iter(numbers.at("causes")))
    lines = [(item.label, escape(item.meaning)) for item in shown_metrics(numbers, first)]
    return [
        *lines,
        (
            "Interval",
            escape(
                "The range in which the number would mostly fall with other samples of as many "
                "subjects, the trained models being the same."
            ),
        ),
        (
            "Not defined",
            escape("The number cannot be computed from these subjects; it is not zero."),
        ),
    ]


def _sections(parts: PageParts) -> dict[str, Any]:
    """Return the sections that have something to show, in the order of the page."""
    numbers, files, held = parts.numbers, parts.files, _held(parts)
    cohort = held["cohort"]
    found: dict[str, Any] = {
        "cohort": None if cohort is None else cohort_section(Numbers(cohort, COHORT_FILE), files),
        "causes": [
            cause_section(numbers, parts.run.predictions, cause, files)
            for cause in parts.run.predictions.causes
        ],
        "comparison": None,
        "stress": None,
        "attention": None,
        "explain": None,
        "importance": None,
        "model": None,
        "learning": None,
        "health": health_section(held["logs"], held["warnings"], files),
        "audit": None if held["audit"] is None else audit_section(held["audit"], files),
    }
    if (compared := parts.compared) is not None:
        files.document(COMPARISON, "Numbers of the comparison of runs", _text(compared))
        found["comparison"] = comparison_section(Numbers(compared, COMPARISON), files)
    own = str(numbers.at("predictions"))
    if (stressed := held["stress"]) is not None:
        found["stress"] = stress_section(Numbers(stressed, STRESS), files, predictions=own)
    if (attention := held["attention"]) is not None:
        files.document(ATTENTION, "Numbers of the attention", _text(attention))
        found["attention"] = attention_section(Numbers(attention, ATTENTION), files)
    if (explained := held["explain"]) is not None:
        shown = Numbers(explained, EXPLAIN)
        found["explain"] = explain_section(shown, parts.folder, files, predictions=own)
    if (measured := held["importance"]) is not None:
        shown = Numbers(measured, IMPORTANCE)
        found["importance"] = importance_section(shown, files, predictions=own)
    if (sizes := held["model"]) is not None:
        files.document(MODEL, "Sizes of the model", _text(sizes))
        found["model"] = model_section(sizes, files)
    if held["logs"]:
        found["learning"] = files.picture("learning", learning_figure(held["logs"]))
    return found


def _held(parts: PageParts) -> dict[str, Any]:
    """Read what the run folder holds, before anything is drawn."""
    folder = parts.folder
    return {
        "cohort": read_cohort_summary(folder, parts.numbers.at("subjects")),
        "stress": read_document(folder, STRESS_FILE),
        "audit": read_document(folder, AUDIT_FILE),
        "attention": read_attention(folder, parts.run.predictions),
        "explain": read_document(folder, EXPLAIN_FILE),
        "importance": read_document(folder, IMPORTANCE_FILE),
        "model": read_model_sizes(folder),
        "logs": read_learning_logs(folder),
        "warnings": read_warnings(folder),
    }


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _template() -> Any:
    folder = resources("survkit.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.globals["style"] = Markup(folder.joinpath("style.css").read_text(encoding="utf-8"))
    text = folder.joinpath("template.html.j2").read_text(encoding="utf-8")
    return environment.from_string(text)


def _subtitle(numbers: Numbers, cohort: str, title: str) -> Markup:
    words = Markup("{} by {} {}").format(
        " or ".join(numbers.at("causes")),
        numbers.number("horizon", style="plain"),
        numbers.at("time_unit"),
    )
    if cohort:
        words = Markup("{} · ").format(cohort) + words
    model = str(numbers.at("model"))
    return words if model == title else words + Markup(" · model {}").format(model)


def _tiles(numbers: Numbers) -> list[tuple[str, Markup]]:
    tiles = [("Subjects", numbers.number("subjects", style="count"))]
    for cause in numbers.at("causes"):
        base = ("causes", cause, "metrics")
        tiles.append((f"Events: {cause}", numbers.number("causes", cause, "events", style="count")))
        keys = {HARRELL: "Concordance", OBSERVED_EXPECTED: "Observed / expected"}
        if len(numbers.at("causes")) > 1:
            keys = {HARRELL: f"Concordance: {cause}"}
        for key, label in keys.items():
            if numbers.defined(*base, key, "pooled"):
                tiles.append((label, numbers.number(*base, key, "pooled", "value")))
    return tiles
