"""Time bins cut from all subjects before they were split."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule
from survkit.auditing.rules.subject_overlap import UNKNOWN_TRAINING
from survkit.auditing.table import Floats

NAME = "time-bins"
FEWEST_BINS, MOST_BINS, FEWEST = 3, 50, 30


def _check(evidence: Evidence) -> Answer:
    if not evidence.folds:
        return NotChecked(UNKNOWN_TRAINING)
    columns = dict(_columns(evidence))
    findings = []
    for name, (bins, duration, event, subject) in columns.items():
        edges = _edges(bins, duration)
        if edges is None:
            continue
        for who, rows in (("with the event", event), ("", np.ones_like(event))):
            fits = _fits(edges, duration[rows])
            wrong = [
                one.name
                for one in evidence.folds
                if not _fits(edges, duration[rows & _member(subject, one.train)])
            ]
            if fits and wrong:
                findings.append(
                    Finding(
                        rule=NAME,
                        severity="error",
                        message=f"the time bins in {name} were cut from all subjects {who}".strip(),
                        evidence=(
                            f"{len(edges) + 1} bins; their edges are the quantiles of all subjects "
                            f"{who} and not those of the training part in {len(wrong)} of "
                            f"{len(evidence.folds)} folds"
                        ),
                        cure="cut the bins from the training part of each fold",
                    )
                )
                break
    return findings


def _columns(
    evidence: Evidence,
) -> Iterator[tuple[str, tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.object_]]]]:
    """Yield numeric columns of the table and the features beside the outcome, one row a subject."""
    table, outcomes = evidence.table, evidence.outcomes()
    sources = [(table.subject, {n: table.other.numbers(n)[0] for n in table.other.columns})]
    if evidence.features is not None:
        features = evidence.features
        plain = {n: v for n, v in features.numeric.items() if n not in features.embedding}
        sources.append((features.subject, plain))
    for subject, columns in sources:
        first = {name: row for row, name in reversed(list(enumerate(subject))) if name in outcomes}
        rows = np.array(sorted(first.values()), dtype=int)
        if len(rows) < FEWEST:
            continue
        pairs = np.array([outcomes[subject[row]] for row in rows])
        for name, values in columns.items():
            yield name, (values[rows], pairs[:, 0], pairs[:, 1] > 0, subject[rows])


def _edges(bins: Floats, duration: Floats) -> list[tuple[float, float]] | None:
    """Return between which durations each edge lies, if the column is a step function of them."""
    if not np.isfinite(bins).all():
        return None
    levels = np.unique(bins)
    if not FEWEST_BINS <= len(levels) <= MOST_BINS:
        return None
    ranges = sorted((duration[bins == v].min(), duration[bins == v].max()) for v in levels)
    edges = [(high, low) for (_, high), (low, _) in pairwise(ranges)]
    return edges if all(high < low for high, low in edges) else None


def _fits(edges: list[tuple[float, float]], duration: Floats) -> bool:
    """Whether every edge can be the quantile of these durations."""
    if len(duration) < len(edges) + 1:
        return False
    shares = np.arange(1, len(edges) + 1) / (len(edges) + 1)
    quantiles = np.quantile(duration, shares)
    slack = 1e-9 * float(duration.max())
    return all(
        low - slack <= q <= high + slack for (low, high), q in zip(edges, quantiles, strict=True)
    )


def _member(subject: NDArray[np.object_], names: tuple[str, ...]) -> NDArray[np.bool_]:
    wanted = set(names)
    return np.array([name in wanted for name in subject], dtype=bool)


RULE = Rule(
    name=NAME,
    asks="Were time bins cut from all subjects instead of the training part?",
    guard=(
        "the column must be a step function of the duration whose every edge is a quantile of all "
        "subjects, and is not one of the training part"
    ),
    source="MCAT and SurvPath datasets/dataset_survival.py",
    check=_check,
)
