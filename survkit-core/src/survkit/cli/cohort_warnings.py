"""Repeats, where a model is about to be trained, what the check of its cohort warns of."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from survkit.data import Cohort


def print_warnings(cohort: Cohort, modalities: Collection[str]) -> None:
    """Print what is suspicious about the outcome and the columns that a recipe uses.

    Images are not opened for it; `survkit cohort check` reads all of them.
    """
    from survkit.data.check_warnings import outcome_warnings, table_warnings
    from survkit.data.readers.table import TableSource

    if cohort.outcome is None:
        return
    found = outcome_warnings(cohort.config.outcome, cohort.outcome)
    for name in modalities:
        source = cohort.sources.get(name)  # a name that is not there is refused elsewhere
        if isinstance(source, TableSource):
            found += table_warnings(name, source, cohort.outcome)
    said = [str(problem) for problem in found] + _without_any(cohort, list(modalities))
    for line in said:
        print(f"warning: {line}", file=sys.stderr)


def _without_any(cohort: Cohort, modalities: list[str]) -> list[str]:
    """Say who would be predicted from nothing: has other modalities, but none of these."""
    there = [cohort.available(name) for name in modalities if name in cohort.sources]
    if len(there) < len(modalities) or not there:
        return []
    without = int((~sum(there[1:], start=there[0])).sum())
    if not without:
        return []
    return [
        f"{without} of {len(cohort)} subjects have none of {', '.join(modalities)}; the model sees "
        "them all as the same unknown subject"
    ]
