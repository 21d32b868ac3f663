"""What a model attends to in some subjects, and what it predicts for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.data import Cohort
from survkit.errors import DataError, PluginError
from survkit.explaining.ask import ask
from survkit.explaining.cross_watch import Pair, Received, cross_attention_watched
from survkit.explaining.map_watch import SeenMaps, attention_maps_watched
from survkit.explaining.opened import CURVE_POINTS, ModelPart
from survkit.explaining.settings import ExplainSettings
from survkit.explaining.weights_randomised import RandomisedMaps, randomised_maps
from survkit.protocols import Sample
from survkit.showing import ShowsTokenMasks, ShowsTokens
from survkit.training.attention_watch import TokenWeights, attention_watched

Floats = NDArray[np.float64]

TOLERANCE = 1e-4
"""Of a probability. Another processor rounds otherwise; other images differ by more."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen while a model predicted.

    Attributes:
        part: Model and subjects.
        tokens: Weights over tokens by modality.
        crossed: What patches of a modality receive from those of another.
        times: float64 (grid), from 0 to the horizon.
        incidence: Cumulative incidence; float64 (subject, cause, grid).
        maps: Where encoders of images looked in the pictures.
        randomised: The same when more and more of the encoder's weights are noise; empty where
            nobody asked for it.
    """

    part: ModelPart
    tokens: Mapping[str, TokenWeights]
    crossed: Mapping[Pair, Received]
    times: Floats
    incidence: Floats
    maps: Mapping[str, SeenMaps] = field(default_factory=dict)
    randomised: Mapping[str, tuple[RandomisedMaps, ...]] = field(default_factory=dict)


def look(
    part: ModelPart, cohort: Cohort, settings: ExplainSettings, *, randomise: bool = False
) -> Looked:
    """Predict the part's subjects and watch the attention.

    Args:
        part: Model and subjects.
        cohort: Theirs.
        settings: How it is carried out.
        randomise: Ask encoders of images once more with weights of noise.

    Raises:
        DataError: The cohort does not fit the model, or the model does not predict what the run
            says it predicted.
    """
    outcome = part.fitted.description.outcome
    inner = np.linspace(0, outcome.horizon, CURVE_POINTS)[1:]
    if part.expected is not None:
        inner = part.expected.time_grid
    members, specs = part.fitted.members, part.fitted.description.inputs
    with (
        attention_watched(members) as watch,
        cross_attention_watched(members) as crossed,
        attention_maps_watched(members, specs, keep_values=randomise) as mapped,
    ):
        prediction = part.fitted.predict(
            cohort, part.rows, micro_batch=4, device=settings.device, cache=settings.cache
        )
    incidence = prediction.cumulative_incidence(inner.tolist()).double().numpy()
    if part.expected is not None:
        _check_reproduced(part, incidence)
    start = np.zeros((*incidence.shape[:2], 1))
    times, curves = np.concatenate([[0.0], inner]), np.concatenate([start, incidence], axis=2)
    maps = mapped.seen()
    noise = {
        name: randomised_maps(members, name, seen, specs[name], device=settings.device)
        for name, seen in maps.items()
        if randomise
    }
    return Looked(part, watch.tokens(), crossed.received(), times, curves, maps, noise)


def _check_reproduced(part: ModelPart, incidence: Floats) -> None:
    expected = part.expected
    if expected is None or expected.cumulative_incidence is None:
        return
    off = np.abs(incidence - expected.cumulative_incidence).max(axis=(1, 2))
    if not (off <= TOLERANCE).all():  # also where something is no number
        row = int(off.argmax())
        raise DataError(
            f"the model of {part.name} now predicts probabilities for subject "
            f"'{expected.subject[row]}' that are off by up to {off[row]:.2g} from those of the "
            "run; give the cohort and data it was made from, unchanged"
        )


def shown_tokens(
    encoder: object, sample: Sample, *, subject: str, tokens: int
) -> NDArray[np.float32]:
    """Return the picture of each token, float32 (token, y, x) in [0, 1].

    Raises:
        PluginError: The encoder fails, or gives something else.
    """
    assert isinstance(encoder, ShowsTokens)
    found = ask(encoder, "token_images", sample, subject=subject)
    return _checked(found, f"{type(encoder).__name__}.token_images", subject, tokens, axes=3)


def mask_shares(
    encoder: object, sample: Sample, *, subject: str, tokens: int
) -> NDArray[np.float32]:
    """Return the share of each token inside the sample's mask, float32 (token) in [0, 1].

    Raises:
        PluginError: The encoder fails, or gives something else.
    """
    assert isinstance(encoder, ShowsTokenMasks)
    found = ask(encoder, "token_mask_share", sample, subject=subject)
    return _checked(found, f"{type(encoder).__name__}.token_mask_share", subject, tokens, axes=1)


def _checked(found: Any, name: str, subject: str, tokens: int, *, axes: int) -> NDArray[np.float32]:
    """Refuse what is not one finite entry in [0, 1] per token."""
    shape = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
    if not isinstance(found, torch.Tensor) or found.ndim != axes or len(found) != tokens:
        raise PluginError(
            f"{name} must give a tensor of {axes} axes, one entry for each of the {tokens} tokens "
            f"of subject '{subject}', not {shape}"
        )
    values = found.detach().cpu().float().numpy()
    if not bool(((values >= -1e-6) & (values <= 1 + 1e-6)).all()):
        raise PluginError(
            f"{name} must give values from 0 to 1, not {values.min():.4g} to {values.max():.4g} "
            f"(subject '{subject}')"
        )
    return np.asarray(values)
