"""Whether maps of attention lie where the region of interest is, more than equal weights would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from survkit.explaining.image_grid import mass_in_mask
from survkit.explaining.looked import Looked
from survkit.explaining.mask_pair import MaskPair, bootstrap_of, groups_of
from survkit.protocols import Sample
from survkit.report.attention_profile import estimate, mean_with_interval


class MapMasks:
    """The mass of each map of one modality within the masks of subjects, and their share of the
    picture.
    """

    def __init__(self) -> None:
        self.pairs: dict[str, list[MaskPair]] = {}
        self.without = 0

    def add(
        self, looked: Looked, place: int, name: str, sample: Sample, *, group: str | None
    ) -> None:
        """Take one more subject, and what it belongs to where the cohort says so."""
        seen = looked.maps.get(name)
        if seen is None:
            return
        if sample.mask is None:
            self.without += 1
            return
        mask = sample.mask.numpy()
        for one, each in seen.maps.items():
            weight = each[place]
            if weight is not None:
                pair = MaskPair(mass_in_mask(weight, mask), float(mask.mean()), group)
                self.pairs.setdefault(one, []).append(pair)

    def compared(self) -> dict[str, dict[str, Any]]:
        """Return by map what they say together."""
        return {
            name: _compared(pairs) | {"without_mask": self.without}
            for name, pairs in self.pairs.items()
        }


def _compared(pairs: Sequence[MaskPair]) -> dict[str, Any]:
    """Compare mass with area; subjects with an empty mask have no ratio."""
    there = [pair for pair in pairs if pair.share > 0]
    count, empty = len(there), len(pairs) - len(there)
    if not count:
        return {"reason": "the mask of every subject is empty", "n": 0, "empty": empty}
    table = np.array([(pair.weight, pair.share, pair.weight / pair.share) for pair in there])
    mean, lower, upper = mean_with_interval(table, groups=groups_of(there))
    how = bootstrap_of(there)
    low = [None] * 3 if lower is None else lower
    high = [None] * 3 if upper is None else upper
    return {
        "n": count,
        "empty": empty,
        "mass": estimate(
            mean[0],
            low[0],
            high[0],
            method=f"mean mass in the mask; {how}",
            n=count,
        ),
        "area": float(mean[1]),
        "ratio": estimate(
            mean[2], low[2], high[2], method=f"mean of mass over area; {how}", n=count
        ),
    }
