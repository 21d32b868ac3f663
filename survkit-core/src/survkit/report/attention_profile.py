"""Where along a volume the attention lies: weights over slices on one axis for all subjects.

Slices are counted in the order of the volume's first axis. Volumes are read in LPS axes, so index 0
is the most caudal slice (towards the feet) and the last is the most cranial (towards the head).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.metrics.bootstrap import bootstrap_counts
from survkit.report.token_weights import ModalityTokens

Floats = NDArray[np.float64]

POINTS = 100
LEVEL = 0.95
REPLICATES = 1000
TOP_SHARE = 0.1
ORIENTATION = "0 is the most caudal slice (towards the feet), 1 the most cranial (towards the head)"


def profiles(
    tokens: Mapping[str, ModalityTokens], groups: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return by modality its profile, or under ``reason`` why it has none; pictures, of which
    nobody expects one, are left out.

    Args:
        tokens: Weights of each modality.
        groups: What each subject belongs to, such as a patient; intervals then draw whole groups.
    """
    return {name: _modality(own, groups) for name, own in tokens.items() if own.kind != "image"}


def over_slices(weight: Floats, grid: tuple[int, ...] | None) -> Floats:
    """Return the weights over slices; those of a grid (z, y, x) are summed over y and x."""
    if grid is None or len(grid) == 1:
        return weight
    return np.asarray(weight.reshape(grid).sum(axis=tuple(range(1, len(grid)))))


def no_slices(kind: str, grid: tuple[int, ...] | None) -> str | None:
    """Say why the tokens of a modality are no slices of a volume; ``None`` where they are."""
    if kind != "volume":
        return f"its tokens are of a modality of kind {kind}, not slices of a volume"
    if grid is not None and len(grid) not in (1, 3):
        return f"its tokens lie on a grid of {len(grid)} axes, of which none is known to be z"
    if grid is not None and grid[0] < 2:
        return "its grid has one position along z"
    return None


def relative_profile(weight: Floats) -> Floats:
    """Return the density of the weights (slice) at 100 relative positions from 0 to 1; mean 1.

    Linear interpolation over position = index / (count - 1), then renormalised, so that 1 is what
    equal weights give. Where slices lie closer than the points, points are triangular means of
    their neighbourhood, so that no slice falls between two points.

    Reference: Paolo et al. (2026), interpretability; the triangular mean is ours.
    """
    finer = ceil((len(weight) - 1) / (POINTS - 1))
    place = np.linspace(0, 1, (POINTS - 1) * finer + 1)
    values = np.interp(place, np.linspace(0, 1, len(weight)), weight)
    hat = 1 - np.abs(np.arange(1 - finer, finer)) / finer
    here = slice(finer - 1, finer - 1 + len(values), finer)
    means = np.convolve(values, hat)[here] / np.convolve(np.ones_like(values), hat)[here]
    return np.asarray(means * POINTS / means.sum())


def top_mass(weight: Floats) -> tuple[float, float]:
    """Return the weight of the tenth of the slices with most of it, and how large that tenth is."""
    count = ceil(TOP_SHARE * len(weight))
    return float(np.sort(weight)[-count:].sum()), count / len(weight)


def mean_with_interval(
    values: Floats,
    compute: Callable[[Floats], Floats] | None = None,
    *,
    groups: Sequence[str] | None = None,
) -> tuple[Floats, Floats | None, Floats | None]:
    """Return the mean over subjects and its bootstrap bounds; ``None`` bounds for one subject, or
    one group.

    Args:
        values: float64 (subject, column).
        compute: Made of the means (…, column), such as a ratio of two of them.
        groups: What each subject belongs to, such as the patient of an image; drawn as a whole.
    """
    made = compute or (lambda means: means)
    mean = made(values.mean(axis=0))
    if len(values if groups is None else set(groups)) < 2:
        return mean, None, None
    clusters = None
    if groups is not None:
        clusters = torch.from_numpy(np.unique(np.array(groups), return_inverse=True)[1])
    generator = torch.Generator().manual_seed(0)
    counts = bootstrap_counts(len(values), REPLICATES, generator, clusters).double().numpy()
    drawn = made(counts @ values / counts.sum(axis=1, keepdims=True))
    tail = (1 - LEVEL) / 2
    lower, upper = np.nanquantile(drawn, [tail, 1 - tail], axis=0)
    return mean, lower, upper


def unit_drawn(groups: Sequence[str] | None) -> str:
    """Say what the bootstrap draws."""
    return "subject" if groups is None else "group"


def estimate(value: Any, lower: Any, upper: Any, *, method: str, n: int) -> dict[str, Any]:
    """Return a number with its interval as files of numbers hold it."""
    interval = None
    if lower is not None:
        interval = {"lower": float(lower), "upper": float(upper), "level": LEVEL}
    return {"value": float(value), "interval": interval, "method": method, "n": n}


def _modality(own: ModalityTokens, groups: Mapping[str, str] | None) -> dict[str, Any]:
    reason = own.left_out or no_slices(own.kind, own.grid)
    if reason is not None:
        return {"reason": reason}
    slices = [(row, over_slices(row.weight, own.grid)) for row in own.rows]
    several = [(row, weight) for row, weight in slices if len(weight) > 1]
    if not several:
        return {"reason": "no subject has more than one slice"}
    by_subject: dict[str, list[Floats]] = defaultdict(list)
    by_fold: dict[tuple[int, int], list[Floats]] = defaultdict(list)
    tops: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row, weight in several:
        density = relative_profile(weight)
        by_subject[row.subject].append(density)
        by_fold[row.repeat, row.fold].append(density)
        tops[row.subject].append(top_mass(weight))
    each = np.array([np.mean(parts, axis=0) for parts in by_subject.values()])
    belongs = None if groups is None else [groups[subject] for subject in by_subject]
    counts = [len(weight) for _, weight in several]
    return {
        "n": len(each),
        "one_slice": len({row.subject for row in own.rows} - set(by_subject)),
        "grid": None if own.grid is None else list(own.grid),
        "slices": {name: float(found(counts)) for name, found in _COUNTS.items()},
        "orientation": ORIENTATION,
        **_curve(each, belongs),
        "folds": {
            f"{repeat}-{fold}": np.mean(parts, axis=0).tolist()
            for (repeat, fold), parts in sorted(by_fold.items())
        },
        "between_folds": _between([np.mean(parts, axis=0) for _, parts in sorted(by_fold.items())]),
        **_top(np.array([np.mean(parts, axis=0) for parts in tops.values()]), belongs),
    }


_COUNTS: Mapping[str, Callable[[list[int]], Any]] = {"least": min, "median": np.median, "most": max}


def _curve(each: Floats, groups: Sequence[str] | None) -> dict[str, Any]:
    """Return mean, its interval and the band over subjects at every point."""
    mean, lower, upper = mean_with_interval(each, groups=groups)
    low, high = np.quantile(each, [0.025, 0.975], axis=0)
    return {
        "position": np.linspace(0, 1, POINTS).tolist(),
        "mean": mean.tolist(),
        "lower": None if lower is None else lower.tolist(),
        "upper": None if upper is None else upper.tolist(),
        "level": LEVEL,
        "drawn": unit_drawn(groups),
        "subjects_low": low.tolist(),
        "subjects_high": high.tolist(),
    }


def _between(means: Sequence[Floats]) -> dict[str, Any]:
    """Return how alike the profiles of the folds are: they come from different models."""
    if len(means) < 2:
        return {"reason": "there is one fold", "n": len(means)}
    if any(float(np.ptp(one)) < 1e-9 for one in means):
        return {"reason": "the profile of a fold is flat", "n": len(means)}
    pairs = [float(np.corrcoef(one, other)[0, 1]) for one, other in combinations(means, 2)]
    method = f"mean Pearson correlation of {len(pairs)} pairs of folds, {POINTS} points"
    found = estimate(np.mean(pairs), None, None, method=method, n=len(means))
    return found | {"lowest": min(pairs), "highest": max(pairs)}


def _top(each: Floats, groups: Sequence[str] | None) -> dict[str, Any]:
    mean, lower, upper = mean_with_interval(each, groups=groups)
    bounds = (None, None) if lower is None or upper is None else (lower[0], upper[0])
    method = f"mean over subjects; bootstrap, {REPLICATES} replicates by {unit_drawn(groups)}"
    return {
        "top_share": estimate(mean[0], *bounds, method=method, n=len(each)),
        "top_uniform": float(mean[1]),
    }
