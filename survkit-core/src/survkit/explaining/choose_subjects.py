"""Whom to show, by rule and not by taste."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RULE = (
    "Subjects were chosen by rule, in this order: highest, median and lowest predicted probability "
    "of the first cause by the horizon; the worst misranked, that is who is in the largest surplus "
    "of discordant over concordant pairs within the fold; then, in turn, the next highest, lowest "
    "and worst misranked"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Whom one can choose from; one entry per subject.

    Attributes:
        subject: Names.
        risk: Predicted probability of the first cause by the horizon; float64.
        fold: Who shares a fold was predicted by the same model; int64.
        duration: Where known; float64.
        event: Where known, 0 for censored; int64.
        entry: Delayed entry, where there is one; float64.
        strata: Groups within which pairs are compared, where there are some; int64.
    """

    subject: tuple[str, ...]
    risk: NDArray[np.float64]
    fold: NDArray[np.int64]
    duration: NDArray[np.float64] | None = None
    event: NDArray[np.int64] | None = None
    entry: NDArray[np.float64] | None = None
    strata: NDArray[np.int64] | None = None


def choose(ranked: Ranked, count: int) -> list[tuple[str, str]]:
    """Return names of at most ``count`` subjects, each with why it was chosen."""
    chosen: dict[str, str] = {}
    for place, why in _candidates(ranked):
        if len(chosen) == count:
            break
        chosen.setdefault(ranked.subject[place], why)
    return list(chosen.items())


def _candidates(ranked: Ranked) -> Iterator[tuple[int, str]]:
    """Yield subjects in the order of the rule; some come twice."""
    falling = np.argsort(-ranked.risk, kind="stable").tolist()
    surplus = discordant_surplus(ranked)
    by_surplus = np.argsort(-surplus, kind="stable").tolist()
    misranked = [place for place in by_surplus if surplus[place] > 0]
    yield falling[0], "highest predicted risk"
    yield falling[len(falling) // 2], "median predicted risk"
    yield falling[-1], "lowest predicted risk"
    first = {falling[0], falling[len(falling) // 2], falling[-1]}
    worst = [place for place in misranked if place not in first]
    if worst:
        yield worst[0], "worst misranked"
    lowest, others = falling[::-1], worst[1:]
    for turn in range(1, len(falling)):
        yield falling[turn], "high predicted risk"
        yield lowest[turn], "low predicted risk"
        if turn <= len(others):
            yield others[turn - 1], "badly misranked"


def discordant_surplus(ranked: Ranked) -> NDArray[np.int64]:
    """Return of how many more discordant than concordant pairs each subject is part.

    Pairs are those of Harrell's concordance of the first cause within folds (and strata), other
    causes counting as censored; ties of the risk count nothing. Zero where no outcome is known.
    """
    surplus = np.zeros(len(ranked.subject), dtype=np.int64)
    if ranked.duration is None or ranked.event is None:
        return surplus
    anchor = ranked.event == 1
    for place in np.flatnonzero(anchor).tolist():
        time = ranked.duration[place]
        later = (ranked.duration > time) | ((ranked.duration == time) & ~anchor)
        later &= ranked.fold == ranked.fold[place]
        later[place] = False
        if ranked.entry is not None:
            later &= ranked.entry < time
        if ranked.strata is not None:
            later &= ranked.strata == ranked.strata[place]
        wrong = np.sign(ranked.risk - ranked.risk[place]).astype(np.int64) * later
        surplus += wrong
        surplus[place] += int(wrong.sum())
    return surplus
