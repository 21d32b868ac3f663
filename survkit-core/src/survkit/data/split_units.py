"""What is dealt to folds as a whole: a subject, or a group of them such as one patient's images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survkit.data.cohort import Cohort
from survkit.data.splits import Splits
from survkit.errors import DataError

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SplitUnits:
    """Units and what their division looks at.

    Attributes:
        event: Of each unit: of a group its commonest cause, 0 where every row is censored; (unit).
        duration: Of each unit: of a group the mean over its rows; (unit).
        site: Centre of each unit; ``None`` without sites.
        of_row: Which unit each row of the cohort belongs to; (row).
        grouped: Whether units are groups.
    """

    event: Labels
    duration: NDArray[np.float64]
    site: tuple[str, ...] | None
    of_row: Labels
    grouped: bool

    @property
    def size(self) -> Labels:
        """Rows of each unit; (unit)."""
        return np.bincount(self.of_row, minlength=len(self.event))

    @property
    def noun(self) -> str:
        """What a unit is called in messages."""
        return "groups" if self.grouped else "subjects"

    def rows(self, units: Labels) -> Labels:
        """Return the rows of some units, in the order of the cohort."""
        return np.flatnonzero(np.isin(self.of_row, units))


def split_units(cohort: Cohort, *, whole_sites: bool = False) -> SplitUnits:
    """Return the subjects of a cohort, or its groups where the cohort file names them.

    Args:
        cohort: With its outcome.
        whole_sites: Sites will be kept whole, so no group may lie in two of them.

    Raises:
        DataError: The cohort was read without its outcome, or a group lies in two sites.
    """
    if cohort.outcome is None:
        raise DataError(f"{cohort.source}: splits need the outcome")
    outcome = cohort.outcome
    if cohort.group is None:
        everybody = np.arange(len(cohort), dtype=np.int64)
        return SplitUnits(outcome.event, outcome.duration, cohort.site, everybody, False)
    names, first, member = np.unique(np.array(cohort.group), return_index=True, return_inverse=True)
    if whole_sites and cohort.site is not None:
        _refuse_two_sites(cohort)
    counts = np.zeros((len(names), len(cohort.causes) + 1), dtype=np.int64)
    np.add.at(counts, (member, outcome.event), 1)
    cause = counts[:, 1:].argmax(axis=1) + 1
    total = np.bincount(member, weights=outcome.duration)
    site = None if cohort.site is None else tuple(cohort.site[row] for row in first)
    return SplitUnits(
        event=np.where(counts[:, 1:].any(axis=1), cause, 0).astype(np.int64),
        duration=total / np.bincount(member),
        site=site,
        of_row=member.astype(np.int64),
        grouped=True,
    )


def refuse_parted_groups(splits: Splits, cohort: Cohort) -> None:
    """Refuse splits in which a group stands on two sides of a fold.

    Raises:
        DataError: With the first such group: one patient's images would train and test.
    """
    if cohort.group is None:
        return
    group = dict(zip(cohort.subjects, cohort.group, strict=True))
    for fold in splits.folds:
        seen: dict[str, str] = {}
        for part in ("train", "validation", "test"):
            for name in {group[subject] for subject in getattr(fold, part)}:
                if name in seen:
                    raise DataError(
                        f"{fold.name}: the group '{name}' ({cohort.config.group}) is in "
                        f"{seen[name]} and in {part}; rows of one group stay together: make the "
                        "splits again with `survkit cohort split`"
                    )
                seen[name] = part


def _refuse_two_sites(cohort: Cohort) -> None:
    assert cohort.group is not None
    assert cohort.site is not None
    home: dict[str, str] = {}
    for group, site in zip(cohort.group, cohort.site, strict=True):
        other = home.setdefault(group, site)
        if other != site:
            raise DataError(
                f"whole sites are tested and groups stay together, but the group '{group}' lies "
                f"in the sites '{other}' and '{site}'; leave out --by-site, or correct the column"
            )
