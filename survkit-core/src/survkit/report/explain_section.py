"""What the models looked at in single subjects, from ``explain/explain.json`` and its pictures."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from survkit.errors import RunError
from survkit.report.documents import EXPLAIN_FILE
from survkit.report.explain_images import doubts, images_of, images_table, maps_table
from survkit.report.explain_volumes import MADE, volumes_of, volumes_table
from survkit.report.figure import Picture
from survkit.report.numbers import Numbers
from survkit.report.page_files import PageFiles
from survkit.report.tables import Table

_NAME = re.compile(r"[a-z0-9-]+\.(png|jpg)")
_SAID = (
    "Attention weights say which slices or blocks the model mixed into its prediction, and how "
    "much. They do not say what in them decided, nor that it caused the outcome; a model that "
    "looked at the right place may still be wrong, and one that looked elsewhere may be right."
)
_PATIENTS, _CURVES = "These pictures show patients.", "These are single patients."
_CAUTION = (
    "Pass this page on only where their data may be passed on; survkit report makes it without "
    "them once the folder explain of the run is deleted."
)


def explain_section(
    explained: Numbers, run: Path, files: PageFiles, *, predictions: str
) -> Mapping[str, Any]:
    """Collect the pictures of the subjects with a table, and what the masks say.

    Args:
        explained: The file.
        run: The run folder.
        files: Where figures and tables go.
        predictions: Fingerprint of the predictions that the page is about.

    Raises:
        RunError: It is of other predictions, damaged, or a picture is missing.
    """
    content = explained.metrics
    if content.get("predictions", predictions) != predictions:
        raise RunError(
            f"{EXPLAIN_FILE} is of other predictions than the run now holds; run `survkit explain` "
            "anew, or delete the folder"
        )
    try:
        tables = [_subjects(explained)] if _attended(content) else []
        if volumes_of(explained):
            tables.append(volumes_table(explained))
        if content["masks"]:
            tables.append(_masks(explained))
        if images_of(explained):
            tables += [images_table(explained), maps_table(explained)]
        return {
            "said": _said(explained),
            "caution": (_PATIENTS if _has_images(content) else _CURVES, _CAUTION),
            "doubts": doubts(explained),
            "rule": content["rule"],
            "reading": list(dict.fromkeys(_captions(content))),
            "pictures": [files.picture(name, one) for name, one in _pictures(content, run)],
            "tables": [files.table(table) for table in tables],
        }
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise RunError(
            f"{EXPLAIN_FILE}: damaged ({type(error).__name__}: {error}); run `survkit explain` "
            "anew, or delete the folder"
        ) from error


def _has_images(content: Mapping[str, Any]) -> bool:
    told = [each for subject in content["subjects"] for each in subject["modalities"]]
    return any(each["without_images"] is None for each in told)


def _said(explained: Numbers) -> str:
    """Say what pictures of this kind can tell and cannot."""
    return f"{_SAID} {MADE}" if volumes_of(explained) else _SAID


def _attended(content: Mapping[str, Any]) -> bool:
    told = [each for subject in content["subjects"] for each in subject["modalities"]]
    return any(each["tokens"] for each in told)


def _captions(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield how to read each picture; most are read alike, so it is said once."""
    for subject in content["subjects"]:
        for modality in subject["modalities"]:
            told = modality["picture"]
            yield from map(str, told.get("reading") or [told["caption"]])


def _pictures(content: Mapping[str, Any], run: Path) -> Iterator[tuple[str, Picture]]:
    folder = (run / EXPLAIN_FILE).parent
    for subject in content["subjects"]:
        for modality in subject["modalities"]:
            told = modality["picture"]
            name = str(told["small"])
            if _NAME.fullmatch(name) is None:
                raise RunError(f"{EXPLAIN_FILE}: {name!r} is no picture of its folder")
            try:
                held = (folder / name).read_bytes()
            except OSError as error:
                raise RunError(
                    f"{folder / name}: cannot be read ({error.strerror}); run `survkit explain` "
                    "anew, or delete the folder"
                ) from error
            media = "jpeg" if name.endswith(".jpg") else "png"
            encoded = base64.b64encode(held).decode("ascii")
            source = f"data:image/{media};base64,{encoded}"
            caption = f"{modality['modality']} of {subject['subject']}: {subject['why']}."
            yield f"explain-{Path(name).stem}", Picture(source, told["alt"], caption)


def _subjects(explained: Numbers) -> Table:
    """Return a row per subject and modality."""
    causes, rows, records = explained.at("causes"), [], []
    for place, subject in enumerate(explained.at("subjects")):
        for number, modality in enumerate(subject["modalities"]):
            if not modality["tokens"]:  # of volumes alone
                continue
            rows.append(_row(explained, place, number))
            keys = ("modality", "tokens", "effective_tokens", "top_share", "top_uniform")
            records.append(
                {key: subject[key] for key in ("subject", "why", "model", "duration", "event")}
                | {f"predicted.{cause}": subject["predicted"][cause] for cause in causes}
                | {key: modality[key] for key in keys}
            )
    unit, horizon = explained.at("time_unit"), explained.number("horizon", style="plain")
    return Table(
        name="explained-subjects",
        title="The subjects shown",
        caption="Tokens that count: to how many equally weighed ones the attention amounts. Top "
        "tenth: attention on the tenth of the tokens with most of it, and what equal weights give.",
        labels=(
            "Subject",
            Markup("Predicted by {} {}").format(horizon, unit),
            "Observed",
            "Tokens that count",
            "Top tenth (equal)",
        ),
        rows=tuple(rows),
        records=tuple(records),
        stacked=True,
    )


def _row(explained: Numbers, place: int, number: int) -> tuple[Any, ...]:
    """Return the cells of a subject and one of its modalities."""
    base: tuple[str | int, ...] = ("subjects", place)
    own = (*base, "modalities", number)
    subject, causes = explained.at(*base), explained.at("causes")
    chances = [explained.number(*base, "predicted", cause, style="percent") for cause in causes]
    if len(causes) > 1:
        chances = [
            Markup("{} {}").format(cause, chance)
            for cause, chance in zip(causes, chances, strict=True)
        ]
    counted = (
        explained.number(*own, "effective_tokens", style="short"),
        explained.number(*own, "tokens", style="count"),
    )
    top = (explained.number(*own, key, style="percent") for key in ("top_share", "top_uniform"))
    return (
        f"{subject['subject']}, {explained.at(*own, 'modality')}: {subject['why']}",
        Markup("; ").join(chances),
        _observed(explained, base, subject),
        Markup("{} of {}").format(*counted),
        Markup("{} ({})").format(*top),
    )


def _observed(
    explained: Numbers, base: tuple[str | int, ...], subject: Mapping[str, Any]
) -> Markup:
    if subject["event"] is None:
        return Markup("not read")
    time = explained.number(*base, "duration", style="short")
    return Markup("{} at {} {}").format(subject["event"], time, explained.at("time_unit"))


def _masks(explained: Numbers) -> Table:
    """Return a row per modality with masks."""
    rows, records = [], []
    for name, found in explained.at("masks").items():
        base = ("masks", name)
        if "reason" in found:
            rows.append((name, explained.result(*base), Markup("–"), Markup("–"), Markup("–")))
            records.append({"modality": name, "not_defined": found["reason"]})
            continue
        rows.append(
            (
                name,
                explained.result(*base, "ratio"),
                explained.result(*base, "attention", style="percent"),
                explained.number(*base, "uniform", style="percent"),
                explained.number(*base, "n", style="count"),
            )
        )
        interval = found["ratio"]["interval"] or {}
        records.append(
            {
                "modality": name,
                "ratio": found["ratio"]["value"],
                "lower": interval.get("lower"),
                "upper": interval.get("upper"),
                "attention": found["attention"]["value"],
                "uniform": found["uniform"],
                "n": found["n"],
            }
        )
    return Table(
        name="attention-on-masks",
        title="Attention on what the masks touch",
        caption="Attention on the tokens that the region of interest touches, over their share of "
        "all tokens: 1 is what equal weights give. Interval by bootstrap over subjects.",
        labels=("Modality", "Ratio", "Attention", "Equal weights", "Subjects"),
        rows=tuple(rows),
        records=tuple(records),
        stacked=True,
    )
