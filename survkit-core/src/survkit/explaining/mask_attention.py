"""Whether the attention lies where the region of interest is, more than equal weights would."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from survkit.data import Cohort
from survkit.explaining.attention_maps import offers_maps
from survkit.explaining.looked import Looked, look, mask_shares
from survkit.explaining.map_masks import MapMasks
from survkit.explaining.mask_pair import MaskPair, bootstrap_of, groups_of
from survkit.explaining.opened import ModelPart, OpenedRun
from survkit.explaining.settings import ExplainSettings
from survkit.explaining.token_grid import grid_over_volume, mask_share
from survkit.protocols import Sample
from survkit.report.attention_profile import estimate, mean_with_interval
from survkit.showing import ShowsTokenMasks
from survkit.specs import InputSpec


@dataclass(frozen=True, slots=True)
class Masked:
    """The modalities of which the cohort names masks.

    Attributes:
        tokens: Those of which it is known which tokens a mask touches.
        maps: Those whose encoder says where in the picture it looked.
        reasons: Why attention over tokens cannot be compared with the masks of others.
    """

    tokens: tuple[str, ...]
    maps: tuple[str, ...]
    reasons: Mapping[str, str]


def masked_modalities(
    cohort: Cohort, encoders: Mapping[str, Any], specs: Mapping[str, InputSpec]
) -> Masked:
    """Return the modalities with a mask, and how attention can be compared with it."""
    tokens, maps, reasons = [], [], {}
    for name, encoder in encoders.items():
        if getattr(cohort.declaration(name), "mask", None) is None:
            continue
        known = isinstance(encoder, ShowsTokenMasks)
        if offers_maps(encoder, specs[name]):
            maps.append(name)
        if known or grid_over_volume(encoder, specs[name]) is not None:
            tokens.append(name)
        elif name not in maps:
            reasons[name] = f"{type(encoder).__name__} does not say which tokens a mask touches"
    return Masked(tuple(tokens), tuple(maps), reasons)


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


@dataclass(frozen=True, slots=True)
class MaskAttention:
    """Attention and masks compared, by modality; see the keys of ``explain.json``.

    Attributes:
        tokens: Attention on the tokens that masks touch.
        maps: Mass of each map within the masks.
    """

    tokens: dict[str, dict[str, Any]]
    maps: dict[str, dict[str, dict[str, Any]]]


def mask_attention(
    run: OpenedRun,
    cohort: Cohort,
    names: Sequence[str],
    masked: Masked,
    settings: ExplainSettings,
    advance: Callable[[int], None],
) -> MaskAttention:
    """Return how much attention lies where the masks are.

    Args:
        run: Whose models predict.
        cohort: Names the masks.
        names: Subjects.
        masked: Modalities, and how they are compared.
        settings: How it is carried out.
        advance: Told of every subject.

    Raises:
        DataError: A mask is wrong.
        PluginError: An encoder broke its contract.
    """
    tokens = {name: _TokenMasks() for name in masked.tokens}
    maps = {name: MapMasks() for name in masked.maps}
    for part in run.parts(names):
        looked = look(part, cohort, settings)
        for place, row in enumerate(part.rows):
            group = None if cohort.group is None else cohort.group[row]
            for name in dict.fromkeys([*masked.tokens, *masked.maps]):
                sample = cohort.read_sample(name, row, part.fitted.description.inputs[name])
                if sample is None:
                    continue
                if name in tokens:
                    subject = cohort.subjects[row]
                    tokens[name].add(looked, place, name, sample, subject=subject, group=group)
                if name in maps:
                    maps[name].add(looked, place, name, sample, group=group)
            advance(1)
    return MaskAttention(
        {name: each.compared() for name, each in tokens.items()},
        {name: each.compared() for name, each in maps.items()},
    )


class _TokenMasks:
    """Attention on the tokens that masks touch, and their share of all tokens."""

    def __init__(self) -> None:
        self.pairs: list[MaskPair] = []
        self.without = 0

    def add(
        self,
        looked: Looked,
        place: int,
        name: str,
        sample: Sample,
        *,
        subject: str,
        group: str | None,
    ) -> None:
        """Take one more subject, and what it belongs to where the cohort says so."""
        tokens = looked.tokens.get(name)
        weight = None if tokens is None else tokens.subjects[place]
        if weight is None:
            return
        if sample.mask is None:
            self.without += 1
            return
        touched = _touched(looked.part, name, sample, subject, len(weight))
        pair = MaskPair(float(weight[touched].sum()), float(touched.mean()), group)
        self.pairs.append(pair)

    def compared(self) -> dict[str, Any]:
        """Return what they say together."""
        return _compared(self.pairs) | {"without_mask": self.without}


def _touched(part: ModelPart, name: str, sample: Sample, subject: str, tokens: int) -> np.ndarray:
    """Return which tokens the subject's mask touches."""
    encoder = part.fitted.members[0].encoders[name]
    grid = grid_over_volume(encoder, part.fitted.description.inputs[name])
    if not isinstance(encoder, ShowsTokenMasks) and grid is not None:
        assert sample.mask is not None
        return mask_share(sample.mask.numpy(), grid) > 0
    return mask_shares(encoder, sample, subject=subject, tokens=tokens) > 0


def _compared(pairs: Sequence[MaskPair]) -> dict[str, Any]:
    """Compare attention on touched tokens with their number."""
    count = len(pairs)
    if not count:
        return {"reason": "no subject has both attention over tokens and a mask", "n": 0}
    values = np.array([(pair.weight, pair.share) for pair in pairs])
    if not values[:, 1].any():
        return {"reason": "no mask touches any token", "n": count}
    groups, how = groups_of(pairs), bootstrap_of(pairs)
    mean, lower, upper = mean_with_interval(values, groups=groups)
    ratio, low, high = mean_with_interval(values, _ratio, groups=groups)
    bounds = (None, None) if lower is None or upper is None else (lower[0], upper[0])
    return {
        "n": count,
        "untouched": int((values[:, 1] == 0).sum()),
        "attention": estimate(
            mean[0], *bounds, method=f"mean attention on the tokens touched; {how}", n=count
        ),
        "uniform": float(mean[1]),
        "ratio": estimate(
            ratio, low, high, method=f"attention / share of the tokens; {how}", n=count
        ),
    }


def _ratio(means: np.ndarray) -> np.ndarray:
    """Return attention over share; NaN for a resample whose masks touch nothing."""
    share = np.where(means[..., 1] > 0, means[..., 1], np.nan)
    return np.asarray(means[..., 0] / share)
