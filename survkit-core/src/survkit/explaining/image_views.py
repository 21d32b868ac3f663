"""Pictures with where encoders looked in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from survkit.explaining.attention_maps import Floats
from survkit.explaining.image_grid import mass_in_mask
from survkit.explaining.image_view import ImageView, Randomised, ShownMap
from survkit.explaining.looked import Looked
from survkit.explaining.subject_view import SubjectView
from survkit.explaining.volume_view import Whom
from survkit.explaining.weights_randomised import rank_correlation
from survkit.protocols import Sample


def image_view(
    looked: Looked,
    place: int,
    modality: str,
    sample: Sample,
    *,
    whom: Whom,
    tokens: SubjectView | None,
) -> ImageView | None:
    """Return a subject's picture with the maps of its encoder; ``None`` where there are none.

    Args:
        looked: What the model gave for some subjects.
        place: Which of them.
        modality: Which encoder.
        sample: What was read for it.
        whom: Its name, and what is told of it.
        tokens: The attention over the encoder's tokens, where the model attends.
    """
    seen = looked.maps.get(modality)
    own = {} if seen is None else {name: each[place] for name, each in seen.maps.items()}
    mask = None if sample.mask is None or not sample.mask.any() else sample.mask.numpy()
    maps = tuple(
        _shown(looked, place, modality, name, weight, mask)
        for name, weight in own.items()
        if weight is not None
    )
    if not maps:
        return None
    return ImageView(
        subject=whom.subject,
        why=whom.why,
        modality=modality,
        picture=sample.values.float().numpy(),
        mask=mask,
        maps=maps,
        members=len(looked.part.fitted.members),
        tokens=None if tokens is None or _said(tokens, maps) else tokens,
        course=whom.course,
    )


def _shown(
    looked: Looked,
    place: int,
    modality: str,
    name: str,
    weight: Floats,
    mask: NDArray[np.bool_] | None,
) -> ShownMap:
    """Return a map with its mass in the mask, and what is left of it without what was learnt."""
    steps = []
    for step in looked.randomised.get(modality, ()):
        each = [maps[name][place] for maps in step.draws if name in maps]
        noise = [one for one in each if one is not None]
        if noise:
            steps.append(_randomised(step.share, weight, noise))
    mass = None if mask is None else mass_in_mask(weight, mask)
    return ShownMap(name, weight, mass, tuple(steps))


def _randomised(share: float, weight: Floats, noise: list[Floats]) -> Randomised:
    """Return the first map of noise, and the mean correlation of all where one is defined."""
    each = [rank_correlation(weight, one) for one in noise]
    known = [one for one in each if one is not None]
    return Randomised(share, noise[0], float(np.mean(known)) if known else None)


def _said(tokens: SubjectView, maps: tuple[ShownMap, ...]) -> bool:
    """Say whether the attention over tokens is one of the maps."""
    return any(
        one.weight.size == len(tokens.weight)
        and np.allclose(tokens.weight * one.weight.size, one.relative.ravel(), rtol=1e-3, atol=1e-3)
        for one in maps
    )
