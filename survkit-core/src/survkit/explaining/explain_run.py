"""From a run or a model to pictures of what it looked at, and ``explain.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from survkit.atomic_write import write_bytes
from survkit.data import Cohort
from survkit.errors import ConfigError
from survkit.explaining.choose_subjects import RULE, choose
from survkit.explaining.folder import EXPLAIN_FILE, explain_folder
from survkit.explaining.image_figure import image_picture
from survkit.explaining.image_view import ImageView
from survkit.explaining.looked import look
from survkit.explaining.map_summary import maps_told
from survkit.explaining.mask_attention import (
    MaskAttention,
    drawn_subjects,
    mask_attention,
    masked_modalities,
)
from survkit.explaining.opened import ModelPart, OpenedRun, open_run
from survkit.explaining.settings import ExplainOptions, ExplainSettings
from survkit.explaining.subject_figure import SubjectPicture, subject_picture
from survkit.explaining.subject_view import SubjectView
from survkit.explaining.views import View, views_of
from survkit.explaining.volume_figure import volume_picture
from survkit.hub.load import locate
from survkit.report.tables import slug
from survkit.steps import Steps
from survkit.whole_folder import whole_folder

FORMAT = 1
"""Version of ``explain.json``. Keys may be added under one version, not renamed or removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Finished explanations.

    Attributes:
        folder: Where they were written.
        content: Of ``explain.json``.
    """

    folder: Path
    content: Mapping[str, Any]


def explain_run(
    run: str | Path,
    cohort: Cohort,
    *,
    out: str | Path | None = None,
    revision: str | None = None,
    **options: Unpack[ExplainOptions],
) -> Explained:
    """Show, for single subjects, what a model attended to and what it predicted.

    Test subjects of a cross-validation are predicted again by the model that never saw them, which
    must predict what the run says it predicted. Nothing is trained or chosen.

    Args:
        run: A finished run of ``survkit cv``, a model folder, or ``ORG/NAME`` on the Hub.
        cohort: Of whose subjects some are shown; for a cross-validation, what it was made from,
            read with its outcome.
        out: Folder to write; ``explain`` in the run by default, asked for with a model.
        revision: Branch, tag or commit of a model on the Hub; ``main`` by default.
        options: Fields of :class:`survkit.explaining.ExplainSettings`.

    Raises:
        RunError: It is no such run, or something is in the way.
        DataError: The cohort is not that of the run.
        ConfigError: There is nothing to see of the model, or a setting is wrong.
        PluginError: An encoder broke its contract.
    """
    settings = ExplainSettings(**options)
    place, origin = locate(run, revision)
    folder = explain_folder(place, out, overwrite=settings.overwrite, name=str(run))
    opened = open_run(place, cohort, settings.components(), origin)
    chosen = [(name, "asked for") for name in settings.subjects]
    if not chosen:
        chosen = choose(opened.ranked(settings), settings.count)
    steps = Steps(len(chosen), settings.progress)
    parts = opened.parts([name for name, _ in chosen])
    cohort = cohort.with_twins(parts[0].fitted.description.twins)
    views = _views(parts, cohort, dict(chosen), settings, steps)
    with whole_folder(folder) as work:
        subjects = [
            _written(views[name], number, work)
            for number, (name, _) in enumerate(chosen, start=1)
            if name in views
        ]
        masks = _masks(opened, parts[0], cohort, settings, steps)
        shown = [view for _, _, each in views.values() for view in each]
        pictures = [view for view in shown if isinstance(view, ImageView)]
        content = {
            **_facts(opened, parts, cohort, settings),
            "subjects": subjects,
            "masks": masks.tokens,
            "maps": maps_told(pictures, masks.maps),
        }
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_bytes(work / EXPLAIN_FILE, text.encode())
    return Explained(folder=folder, content=content)


_Found = tuple[ModelPart, int, list[View]]
"""Whose model it was, which of its subjects, and a view per modality."""


def _views(
    parts: Sequence[ModelPart],
    cohort: Cohort,
    chosen: Mapping[str, str],
    settings: ExplainSettings,
    steps: Steps,
) -> dict[str, _Found]:
    """Look at the subjects, part by part.

    Raises:
        ConfigError: Nothing attends over tokens, and no encoder shows an image.
    """
    found: dict[str, _Found] = {}
    for part in parts:
        looked = look(part, cohort, settings, randomise=True)
        for place, row in enumerate(part.rows):
            name = cohort.subjects[row]
            views = views_of(looked, place, cohort, why=chosen[name], settings=settings)
            if views:
                found[name] = (part, place, views)
            steps(1)
    lacking = [name for name in settings.subjects if name not in found]
    if not found or lacking:
        whom = f" of {', '.join(lacking)}" if found else ""
        raise ConfigError(
            f"the model attends over no tokens{whom}, and no encoder shows where it looked or "
            "makes a volume: an explanation shows the attention weights that a fusion such as "
            "'attention', or an encoder that attends, gives for modalities with several tokens, "
            "maps of attention of encoders such as radvit/vit, and reconstructions or codes of "
            "encoders such as robsurv/vq3d"
        )
    return found


def _written(found: _Found, number: int, work: Path) -> dict[str, Any]:
    """Draw a subject's pictures, and return what is told of it."""
    part, _, views = found
    course = views[0].course
    told: list[dict[str, Any]] = []
    for view in views:
        drawn = _drawn(view)
        ending = "jpg" if drawn.media == "jpeg" else drawn.media
        name = f"{number:02d}-{slug(view.why)}-{slug(view.modality)}"
        write_bytes(work / f"{name}.svg", drawn.svg)
        write_bytes(work / f"{name}.{ending}", drawn.small)
        files = {"svg": f"{name}.svg", "small": f"{name}.{ending}"}
        told.append(view.to_json() | {"picture": files | _words(drawn)})
    event = course.event
    return {
        "subject": views[0].subject,
        "why": views[0].why,
        "model": part.name,
        "fold": None if part.fold is None else list(part.fold),
        "predicted": {
            cause: float(course.incidence[place, -1]) for place, cause in enumerate(course.causes)
        },
        "duration": course.duration,
        "event": None if event is None else course.causes[event - 1] if event else "censored",
        "curve": {
            "times": course.times.tolist(),
            "incidence": dict(zip(course.causes, course.incidence.tolist(), strict=True)),
        },
        "modalities": told,
    }


def _drawn(view: View) -> SubjectPicture:
    if isinstance(view, ImageView):
        return image_picture(view)
    return subject_picture(view) if isinstance(view, SubjectView) else volume_picture(view)


def _words(drawn: SubjectPicture) -> dict[str, Any]:
    reading = list(drawn.reading) or [drawn.caption]
    return {"alt": drawn.alt, "caption": drawn.caption, "reading": reading}


def _facts(
    opened: OpenedRun, parts: Sequence[ModelPart], cohort: Cohort, settings: ExplainSettings
) -> dict[str, Any]:
    outcome = parts[0].fitted.description.outcome
    held_out = parts[0].fold is not None
    return {
        "format": FORMAT,
        "model": opened.title,
        "predictions": opened.fingerprint,
        "cohort": cohort.name,
        "held_out": held_out,
        "rule": "Subjects were asked for by name" if settings.subjects else RULE,
        "causes": list(outcome.causes),
        "horizon": outcome.horizon,
        "time_unit": outcome.time_unit,
        "top": settings.top,
    }


def _masks(
    opened: OpenedRun, part: ModelPart, cohort: Cohort, settings: ExplainSettings, steps: Steps
) -> MaskAttention:
    """Compare attention and masks, where the cohort names some; empty where it does not."""
    encoders = dict(part.fitted.members[0].encoders.items())
    masked = masked_modalities(cohort, encoders, part.fitted.description.inputs)
    told: dict[str, Any] = {
        name: {"reason": reason, "n": 0} for name, reason in masked.reasons.items()
    }
    able = list(dict.fromkeys([*masked.tokens, *masked.maps]))
    if not able or not settings.mask_subjects:
        return MaskAttention(told, {})
    names = drawn_subjects(cohort, opened.subjects, able, settings.mask_subjects)
    steps.total += len(names)
    found = mask_attention(opened, cohort, names, masked, settings, steps)
    of = {"of": len(opened.subjects)}
    return MaskAttention(
        told | {name: one | of for name, one in found.tokens.items()},
        {name: {one: each | of for one, each in maps.items()} for name, maps in found.maps.items()},
    )
