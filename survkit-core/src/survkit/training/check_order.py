"""Whether a training part can teach who has the event before whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from survkit.data import Cohort
from survkit.errors import DataError
from survkit.training.comparable import FollowUp


def check_order(cohort: Cohort, train: Sequence[int]) -> None:
    """Refuse training subjects of whom no two can be compared, such as one alone.

    Raises:
        DataError: Nobody is known to be event-free, in the same stratum, at the time of an event.
    """
    if FollowUp.of(cohort.target(train)).has_pair(np.arange(len(train))):
        return
    number = "the only training subject cannot" if len(train) == 1 else (
        f"no two of the {len(train)} training subjects can"
    )  # fmt: skip
    raise DataError(
        f"{number} be compared: nobody is known to be event-free at the time of another's event, "
        "so there is no order of risk to learn; train on more subjects, or divide the cohort "
        "otherwise"
    )
