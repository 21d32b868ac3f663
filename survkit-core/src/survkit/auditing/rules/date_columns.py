"""Pairs of dates whose difference is the duration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import combinations

import numpy as np

from survkit.auditing.table import Floats, Texts

DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
SHARE, FEWEST = 0.9, 20
_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")


def dates_that_give_the_duration(
    columns: Mapping[str, Texts], duration: Floats
) -> Iterator[tuple[str, str, float]]:
    """Yield two columns and the share of subjects whose duration is their difference.

    In days, weeks, months or years, to half a day or half a percent.
    """
    dated = {name: found for name, cells in columns.items() if (found := _days(cells)) is not None}
    for one, two in combinations(dated, 2):
        difference = dated[two] - dated[one]
        first, second = (one, two) if np.nanmedian(difference) >= 0 else (two, one)
        known = np.isfinite(difference)
        if known.sum() < FEWEST:
            continue
        for days in DAYS.values():
            gap = np.abs(np.abs(difference[known]) / days - duration[known])
            allowed = np.maximum(0.5 / days, 0.005 * duration[known])
            share = float(np.mean(gap <= allowed + 1e-9))
            if share >= SHARE:
                yield first, second, share
                break


def _days(cells: Texts) -> Floats | None:
    """Return a column of dates as days, NaN where missing; ``None`` where it holds no dates."""
    known = [cell for cell in cells if cell is not None]
    if len(known) < FEWEST:
        return None
    for form in _FORMATS:
        parsed = [_parsed(str(cell), form) if cell is not None else np.nan for cell in cells]
        if np.isfinite(np.array(parsed)).sum() == len(known):
            return np.array(parsed, dtype=np.float64)
    return None


def _parsed(text: str, form: str) -> float:
    day = text.partition("T")[0].partition(" ")[0]
    try:
        return float(date.toordinal(datetime.strptime(day, form).date()))
    except ValueError:
        return float("nan")
