"""Concordances of rows of a table, for the rules that need one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.auditing.table import Floats, Rows, Table
from survkit.flow import SurvivalTarget
from survkit.metrics import Estimate, harrell_statistic

REPLICATES = 200
SEED = 0


@dataclass(frozen=True, slots=True)
class Concordance:
    """Harrell's concordance, pairs within folds, with its bootstrap standard error by subject."""

    value: float
    error: float
    subjects: int
    events: int

    @property
    def deviations(self) -> float:
        """By how many standard errors it lies above (+) or below (-) chance."""
        return (self.value - 0.5) / self.error if self.error > 0 else 0.0


def scorable(table: Table, rows: Rows, cause: str) -> NDArray[np.intp]:
    """Return positions of rows with a usable outcome and a finite score."""
    return np.flatnonzero(rows & table.usable & np.isfinite(table.risk[cause]))


def target_of(table: Table, chosen: NDArray[np.intp], *, pooled: bool = False) -> SurvivalTarget:
    """Return what was observed, with folds (and strata) as strata unless pooled."""
    groups = [table.repeat[chosen]] + ([] if pooled else [table.fold[chosen]])
    if table.strata is not None:
        groups.append(table.strata[chosen])
    names = ["\x1f".join(map(str, each)) for each in zip(*groups, strict=True)]
    strata = np.unique(np.array(names, dtype=np.str_), return_inverse=True)[1]
    entry = None
    if table.entry is not None and bool(np.isfinite(table.entry[chosen]).all()):
        entry = torch.from_numpy(table.entry[chosen].copy())
    return SurvivalTarget(
        duration=torch.from_numpy(table.duration[chosen].copy()),
        event=torch.from_numpy(table.event[chosen].astype(np.int64)),
        entry=entry,
        strata=torch.from_numpy(strata.astype(np.int64)),
    )


def concordance(
    table: Table,
    rows: Rows,
    cause: str,
    *,
    score: Floats | None = None,
    pooled: bool = False,
    error: bool = False,
) -> Concordance | None:
    """Return the concordance of a cause's risk score, ``None`` where it does not exist.

    Args:
        table: The table.
        rows: Which rows.
        cause: Of which cause.
        score: Another score instead; float64 (row).
        pooled: Whether pairs across folds count too.
        error: Whether the standard error is wanted; 0 otherwise.
    """
    values = table.risk[cause] if score is None else score
    chosen = scorable(table, rows, cause)
    chosen = chosen[np.isfinite(values[chosen])]
    if not len(chosen):
        return None
    statistic = harrell_statistic(
        torch.from_numpy(values[chosen].copy()),
        target_of(table, chosen, pooled=pooled),
        cause=1 + table.causes.index(cause),
        tau=table.horizon,
    )
    found = statistic.estimate()
    if not isinstance(found, Estimate):
        return None
    spread = 0.0
    subjects, member = np.unique(table.subject[chosen].astype(np.str_), return_inverse=True)
    if error:
        drawn = np.random.default_rng(SEED).multinomial(
            len(subjects), np.full(len(subjects), 1 / len(subjects)), size=REPLICATES
        )
        replicates = statistic.replicates(torch.from_numpy(drawn[:, member])).numpy()
        known = replicates[np.isfinite(replicates)]
        spread = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    return Concordance(found.value, spread, len(subjects), found.events)


def rank_correlation(left: Floats, right: Floats) -> float:
    """Return Spearman's correlation, 0 where one side is constant or fewer than three are known."""
    from scipy.stats import rankdata

    both = np.isfinite(left) & np.isfinite(right)
    if both.sum() < 3:
        return 0.0
    a, b = rankdata(left[both]), rankdata(right[both])
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
