"""Says who of a table is not in the cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from survkit.data import Cohort


def print_left_out(cohort: Cohort) -> None:
    """Print how many subjects the cohort file leaves out, and the first of them."""
    names = cohort.left_out
    if names:
        shown = ", ".join(names[:3]) + (", …" if names[3:] else "")
        print(
            f"{len(names)} subjects are left out, {shown}: their event is missing "
            "(outcome.unknown: exclude)"
        )
