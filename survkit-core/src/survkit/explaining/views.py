"""A subject's attention and prediction, with the pictures of what it attended to."""

from __future__ import annotations

from typing import Any

import numpy as np

from survkit.data import Cohort
from survkit.explaining.image_view import ImageView
from survkit.explaining.image_views import image_view
from survkit.explaining.looked import Floats, Looked, mask_shares, shown_tokens
from survkit.explaining.settings import ExplainSettings
from survkit.explaining.subject_view import Course, SubjectView
from survkit.explaining.volume_view import VolumeView, Whom
from survkit.explaining.volume_views import volume_view
from survkit.protocols import Sample
from survkit.showing import ShowsTokenMasks, ShowsTokens, ShowsVolumes

View = SubjectView | VolumeView | ImageView
"""What is drawn of a subject and a modality."""


def views_of(
    looked: Looked, place: int, cohort: Cohort, *, why: str, settings: ExplainSettings
) -> list[View]:
    """Return a view per modality of which there is something to see: attention over its tokens,
    where the encoder looked in a picture, or a volume that it makes.

    Args:
        looked: What the model gave for some subjects.
        place: Which of them.
        cohort: Reads their images.
        why: Why this subject is shown.
        settings: How many tokens with most attention, and where encoders compute.
    """
    row, course = looked.part.rows[place], _course(looked, place, cohort)
    subject = cohort.subjects[row]
    whom = Whom(subject=subject, why=why, course=course)
    views: list[View] = []
    for modality, spec in sorted(looked.part.fitted.description.inputs.items()):
        weight = _weight(looked, place, modality)
        encoder = looked.part.fitted.members[0].encoders[modality]
        looked_at = any(seen == modality for _, seen in looked.crossed) or modality in looked.maps
        sees = weight is not None or looked_at or isinstance(encoder, ShowsVolumes)
        sample = cohort.read_sample(modality, row, spec) if sees else None
        tokens = None
        if weight is not None:
            tokens = SubjectView(
                subject=subject,
                why=why,
                modality=modality,
                kind=spec.kind,
                grid=looked.tokens[modality].grid,
                weight=weight,
                top=tuple(np.argsort(-weight, kind="stable")[: settings.top].tolist()),
                course=course,
                **_pictured(encoder, sample, subject, len(weight)),
            )
        view = _whole(looked, place, modality, sample, whom, tokens, settings) or tokens
        if view is not None:
            views.append(view)
    return views


def _whole(
    looked: Looked,
    place: int,
    modality: str,
    sample: Sample | None,
    whom: Whom,
    tokens: SubjectView | None,
    settings: ExplainSettings,
) -> View | None:
    """Return the view of a whole volume or picture, where there is something to see of it."""
    kind = looked.part.fitted.description.inputs[modality].kind
    if sample is None or kind not in ("volume", "image"):
        return None
    if kind == "image":
        return image_view(looked, place, modality, sample, whom=whom, tokens=tokens)
    return volume_view(
        looked, place, modality, sample, whom=whom, tokens=tokens, device=settings.device
    )


def _weight(looked: Looked, place: int, modality: str) -> Floats | None:
    """Return the weights over a subject's tokens, where the model attends over some."""
    tokens = looked.tokens.get(modality)
    given = None if tokens is None else tokens.subjects[place]
    return None if given is None or not len(given) else given.astype(np.float64)


def _pictured(encoder: object, sample: Sample | None, subject: str, count: int) -> dict[str, Any]:
    """Return pictures of the tokens and their share of the mask, or why there are none."""
    images, share, without = None, None, ""
    if not isinstance(encoder, ShowsTokens):
        without = f"{type(encoder).__name__} cannot show its tokens"
    elif sample is not None:
        images = shown_tokens(encoder, sample, subject=subject, tokens=count)
        if sample.mask is not None and isinstance(encoder, ShowsTokenMasks):
            share = mask_shares(encoder, sample, subject=subject, tokens=count)
    return {"images": images, "mask_share": share, "without_images": without}


def _course(looked: Looked, place: int, cohort: Cohort) -> Course:
    outcome = looked.part.fitted.description.outcome
    row = looked.part.rows[place]
    target = None if cohort.outcome is None else cohort.target([row])
    return Course(
        times=looked.times,
        incidence=looked.incidence[place],
        causes=outcome.causes,
        unit=outcome.time_unit,
        horizon=outcome.horizon,
        duration=None if target is None else float(target.duration[0]),
        event=None if target is None else int(target.event[0]),
    )
