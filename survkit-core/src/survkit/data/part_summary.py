"""Who a model was trained on, in counts that may leave the hospital with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from survkit.data.cohort import Cohort, Rows
from survkit.data.cohort_summary import follow_up, group_counts


def summarise_part(cohort: Cohort, rows: Rows, modalities: Iterable[str]) -> dict[str, Any]:
    """Describe some subjects without naming anybody, or a site.

    Args:
        cohort: Read with its outcome.
        rows: Positions in it.
        modalities: Those that are read.

    Returns:
        ``subjects``; ``events`` by cause, over all of the follow-up; ``censored``; ``follow_up``,
        the median with its unit and method or the reason why there is none; ``sites``, how many,
        ``None`` where the cohort names no column of them; ``groups`` as :func:`group_counts`;
        ``modalities``, the kind of each, and how many have it.

    Raises:
        DataError: The cohort was read without its outcome.
    """
    part = cohort.subset(rows)
    event = part.target(range(len(part))).event
    return {
        "subjects": len(part),
        "events": {name: int((event == code).sum()) for code, name in enumerate(part.causes, 1)},
        "censored": int((event == 0).sum()),
        "follow_up": follow_up(part),
        "sites": None if part.site is None else len(set(part.site)),
        "groups": group_counts(part),
        "modalities": {
            name: {
                "kind": part.declaration(name).kind,
                "present": int(part.available(name).sum()),
            }
            for name in modalities
        },
    }
