"""Whether the attention lies where the region of interest is, more than equal weights would."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from survkit.data import Cohort
from survkit.explaining.looked import look, mask_shares
from survkit.explaining.opened import ModelPart, OpenedRun
from survkit.explaining.settings import ExplainSettings
from survkit.explaining.token_grid import grid_over_volume, mask_share
from survkit.report.attention_profile import REPLICATES, estimate, mean_with_interval
from survkit.showing import ShowsTokenMasks
from survkit.specs import InputSpec

_METHOD = f"bootstrap, {REPLICATES} replicates by subject"


def masked_modalities(
    cohort: Cohort, encoders: dict[str, Any], specs: Mapping[str, InputSpec]
) -> dict[str, str | None]:
    """Return the modalities with a mask, and why attention cannot be compared with it, if so."""
    found: dict[str, str | None] = {}
    for name, encoder in encoders.items():
        if getattr(cohort.config.modality(name), "mask", None) is None:
            continue
        known = isinstance(encoder, ShowsTokenMasks)
        able = known or grid_over_volume(encoder, specs[name]) is not None
        reason = f"{type(encoder).__name__} does not say which tokens a mask touches"
        found[name] = None if able else reason
    return found


def drawn_subjects(
    cohort: Cohort, names: Sequence[str], modalities: Sequence[str], count: int
) -> list[str]:
    """Return at most so many of those who have one of the modalities, the same at every call."""
    place = {name: row for row, name in enumerate(cohort.subjects)}
    there = [cohort.available(name) for name in modalities]
    able = [name for name in names if any(one[place[name]] for one in there)]
    if len(able) <= count:
        return able
    chosen = np.random.default_rng(0).choice(len(able), size=count, replace=False)
    return [able[number] for number in sorted(chosen.tolist())]


def mask_attention(
    run: OpenedRun,
    cohort: Cohort,
    names: Sequence[str],
    modalities: Sequence[str],
    settings: ExplainSettings,
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Return by modality how much attention the tokens touched by the masks get.

    Args:
        run: Whose models predict.
        cohort: Names the masks.
        names: Subjects.
        modalities: Those of which it is known how masks map to tokens.
        settings: How it is carried out.
        advance: Told of every subject.

    Raises:
        DataError: A mask is wrong.
        PluginError: An encoder broke its contract.
    """
    pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in modalities}
    without = dict.fromkeys(modalities, 0)
    for part in run.parts(names):
        looked = look(part, cohort, settings)
        for place, row in enumerate(part.rows):
            for name in modalities:
                tokens = looked.tokens.get(name)
                weight = None if tokens is None else tokens.subjects[place]
                if weight is None:
                    continue
                touched = _touched(part, cohort, name, row, len(weight))
                if touched is None:
                    without[name] += 1
                else:
                    pairs[name].append((float(weight[touched].sum()), float(touched.mean())))
            advance(1)
    return {
        name: _compared(np.array(pairs[name]).reshape(-1, 2)) | {"without_mask": without[name]}
        for name in modalities
    }


def _touched(
    part: ModelPart, cohort: Cohort, name: str, row: int, tokens: int
) -> np.ndarray | None:
    """Return which tokens the subject's mask touches; ``None`` without a mask."""
    spec = part.fitted.description.inputs[name]
    sample = cohort.read_sample(name, row, spec)
    if sample is None or sample.mask is None:
        return None
    encoder = part.fitted.members[0].encoders[name]
    grid = grid_over_volume(encoder, spec)
    if not isinstance(encoder, ShowsTokenMasks) and grid is not None:
        return mask_share(sample.mask.numpy(), grid) > 0
    shares = mask_shares(encoder, sample, subject=cohort.subjects[row], tokens=tokens)
    return shares > 0


def _compared(values: np.ndarray) -> dict[str, Any]:
    """Compare attention on touched tokens (first column) with their number (second)."""
    count = len(values)
    if not count:
        return {"reason": "no subject has both attention over tokens and a mask", "n": 0}
    if not values[:, 1].any():
        return {"reason": "no mask touches any token", "n": count}
    mean, lower, upper = mean_with_interval(values)
    ratio, low, high = mean_with_interval(values, lambda means: _ratio(means))
    bounds = (None, None) if lower is None or upper is None else (lower[0], upper[0])
    return {
        "n": count,
        "untouched": int((values[:, 1] == 0).sum()),
        "attention": estimate(
            mean[0], *bounds, method=f"mean attention on the tokens touched; {_METHOD}", n=count
        ),
        "uniform": float(mean[1]),
        "ratio": estimate(
            ratio, low, high, method=f"attention / share of the tokens; {_METHOD}", n=count
        ),
    }


def _ratio(means: np.ndarray) -> np.ndarray:
    """Return attention over share; NaN for a resample whose masks touch nothing."""
    share = np.where(means[..., 1] > 0, means[..., 1], np.nan)
    return np.asarray(means[..., 0] / share)
