"""A subject's attention and prediction, with the pictures of what it attended to."""

from __future__ import annotations

import numpy as np

from survkit.data import Cohort
from survkit.explaining.looked import Looked, mask_shares, shown_tokens
from survkit.explaining.subject_view import Course, SubjectView
from survkit.protocols import ShowsTokenMasks, ShowsTokens


def views_of(
    looked: Looked, place: int, cohort: Cohort, *, why: str, top: int
) -> list[SubjectView]:
    """Return a view per modality over whose tokens the model attended.

    Args:
        looked: What the model gave for some subjects.
        place: Which of them.
        cohort: Reads their images.
        why: Why this subject is shown.
        top: So many tokens with most attention.
    """
    row, course = looked.part.rows[place], _course(looked, place, cohort)
    views = []
    for modality, tokens in looked.tokens.items():
        given = tokens.subjects[place]
        if given is None or not len(given):
            continue
        weight = given.astype(np.float64)
        encoder = looked.part.fitted.members[0].encoders[modality]
        spec = looked.part.fitted.description.inputs[modality]
        images, share, without = None, None, ""
        name, count = cohort.subjects[row], len(weight)
        if not isinstance(encoder, ShowsTokens):
            without = f"{type(encoder).__name__} cannot show its tokens"
        elif (sample := cohort.read_sample(modality, row, spec)) is not None:
            images = shown_tokens(encoder, sample, subject=name, tokens=count)
            if sample.mask is not None and isinstance(encoder, ShowsTokenMasks):
                share = mask_shares(encoder, sample, subject=name, tokens=count)
        views.append(
            SubjectView(
                subject=name,
                why=why,
                modality=modality,
                kind=spec.kind,
                grid=tokens.grid,
                weight=weight,
                top=tuple(np.argsort(-weight, kind="stable")[:top].tolist()),
                images=images,
                without_images=without,
                mask_share=share,
                course=course,
            )
        )
    return views


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
