"""How a picture with maps of attention is read, in sentences."""

from __future__ import annotations

from survkit.explaining.image_view import ImageView
from survkit.explaining.weights_randomised import DRAWS

_OVER = (
    "The picture as the cohort's reader gives it, then every map laid over it: the more orange, "
    "the more attention, as a multiple of equal weights on the one scale below the pictures; less "
    "than equal weights is not coloured. Maps are drawn smoothly between the middles of their "
    "cells (bilinear); numbers are of the cells themselves."
)
_RANDOMISED = (
    "Small pictures: the same map with the encoder's weights shuffled, in the last third of its "
    "parameter tensors, in two thirds, in all; ρ is Spearman's rank correlation to the map with "
    f"its own weights, mean of {DRAWS} shuffles, of which the first is drawn. A map that stays as "
    "it was does not depend on what was learnt."
)


def reading_of(view: ImageView) -> tuple[str, ...]:
    """Say how the picture is read, in sentences; the same ones for pictures of one kind."""
    said = [_OVER]
    if view.mask is not None:
        said.append(
            "The outline is the region of interest. Ratio: attention within it over its share of "
            "the picture; 1 is what equal weights give."
        )
    if any(one.randomised for one in view.maps):
        said.append(_RANDOMISED)
    if view.members > 1:
        said.append(f"The model averages {view.members} networks: maps are their mean.")
    if view.tokens is not None:
        said.append("The last map is what the model mixed over the tokens of the encoder.")
    course = view.course
    if course.duration is not None and course.duration <= course.horizon:
        said.append("The vertical line is the observed time, dashed where censored.")
    return tuple(said)
