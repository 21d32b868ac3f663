"""What the maps of attention say over subjects: in the masks, and without what was learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from survkit.explaining.image_view import ImageView, ShownMap
from survkit.explaining.weights_randomised import DRAWS
from survkit.report.attention_profile import estimate

SAME, PARTLY = 0.9, 0.5
"""Mean rank correlation with all weights shuffled from which a map is called independent of what
was learnt, or mostly so."""

NEARLY_FLAT = 1.1
"""Multiple of equal weights that a map must exceed in some subject, to be read at all."""

Verdict = Literal["depends", "partly", "independent", "flat"]

_WORDS: Mapping[Verdict, str] = {
    "depends": "The map “{map}” of {modality} depends on the encoder's weights: shuffled, they "
    "give another one. Without that it could not be read as what the model looked at; it is no "
    "proof.",
    "partly": "The map “{map}” of {modality} depends only in part on what was learnt: "
    "with all weights of the encoder shuffled it is still alike. Much of it comes from the "
    "architecture or from the picture itself.",
    "independent": "The map “{map}” of {modality} does not depend on what was learnt: it stays as "
    "it is with all weights of the encoder shuffled. It cannot be read as what the model looked "
    "at.",
    "flat": "The map “{map}” of {modality} is nearly the same everywhere in every subject shown: "
    "it says nothing of where the model looked.",
}


def maps_told(
    views: Sequence[ImageView], masks: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> dict[str, dict[str, Any]]:
    """Return what ``explain.json`` says of the maps by encoder and name.

    Args:
        views: Of the subjects shown.
        masks: What the maps of many subjects say of the masks, where there are some.
    """
    found: dict[str, dict[str, Any]] = {}
    for modality in sorted({view.modality for view in views}):
        own = [view for view in views if view.modality == modality]
        names = dict.fromkeys(one.name for view in own for one in view.maps)
        for name in names:
            maps = [one for view in own for one in view.maps if one.name == name]
            found.setdefault(modality, {})[name] = {
                "mask": masks.get(modality, {}).get(name),
                "randomised": _randomised(maps, modality),
            }
    return found


def _randomised(maps: Sequence[ShownMap], modality: str) -> dict[str, Any] | None:
    """Return the mean correlation at every step, and what it means; ``None`` where no encoder has
    weights.
    """
    tried = [one for one in maps if one.randomised]
    if not tried:
        return None
    steps = []
    for number, step in enumerate(tried[0].randomised):
        each = [one.randomised[number].correlation for one in tried]
        steps.append({"share": step.share, "correlation": _mean(each)})
    verdict = _verdict(tried, [one.randomised[-1].correlation for one in tried])
    words = _WORDS[verdict].format(map=tried[0].name, modality=modality)
    return {"steps": steps, "verdict": verdict, "words": words}


def _mean(each: Sequence[float | None]) -> dict[str, Any]:
    known = [one for one in each if one is not None]
    if not known:
        return {"reason": "one of both maps is the same everywhere in every subject", "n": 0}
    method = (
        f"Spearman's rank correlation over the cells, mean over {DRAWS} shuffles and the subjects "
        "shown"
    )
    return estimate(np.mean(known), None, None, method=method, n=len(known))


def _verdict(tried: Sequence[ShownMap], last: Sequence[float | None]) -> Verdict:
    """Say what the correlations with all weights shuffled mean."""
    if all(one.relative.max() < NEARLY_FLAT for one in tried):
        return "flat"
    known = [one for one in last if one is not None]
    if not known or np.mean(known) < PARTLY:  # not defined: it had a form, and became flat
        return "depends"
    return "independent" if np.mean(known) >= SAME else "partly"
