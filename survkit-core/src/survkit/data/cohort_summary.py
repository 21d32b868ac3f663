"""Who was analysed, in counts: the flow, the folds, and table 1 with what is missing.

``cohort.json`` describes a cohort without naming anybody: no identifier, no level of a category
that only a few subjects share, no statistic of a handful of values.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.atomic_write import write_bytes
from survkit.data.cohort import Cohort
from survkit.data.readers.table import TableSource
from survkit.data.splits import Splits
from survkit.errors import DataError
from survkit.nonparametric.kaplan_meier import kaplan_meier

FORMAT = 1
"""Version of ``cohort.json``. Keys may be added under one version, not renamed or removed."""
COHORT_FILE = "cohort.json"
FEWEST = 5
"""What fewer subjects share is told of none of them: levels are joined, statistics left out."""
MOST_LEVELS = 12
"""Beyond so many levels the rarest are joined: a column of names is no description."""

_Groups = Mapping[str, NDArray[np.bool_]]


def write_cohort_summary(cohort: Cohort, splits: Splits, folder: Path) -> Path:
    """Write ``cohort.json`` into a run folder."""
    content = summarise_cohort(cohort, splits)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return write_bytes(folder / COHORT_FILE, text.encode())


def summarise_cohort(cohort: Cohort, splits: Splits) -> dict[str, Any]:
    """Describe a cohort by counts, and by statistics of at least :data:`FEWEST` values.

    Nothing of it reaches a model: it is taken over all subjects, those of test parts included.

    Args:
        cohort: Read with its outcome.
        splits: Who trains and who tests.

    Raises:
        DataError: The cohort was read without its outcome.
    """
    if cohort.outcome is None:
        raise DataError(f"{cohort.source}: a cohort is described with its outcome; read it with it")
    event = cohort.outcome.event
    names = ("censored", *cohort.causes)
    groups = {name: event == code for code, name in enumerate(names)}
    return {
        "format": FORMAT,
        "name": cohort.name,
        "subjects": len(cohort),
        "left_out": _left_out(cohort),
        "predicted": _predicted(splits),
        "flow": _flow(cohort, _predicted(splits)),
        "events": {name: int(rows.sum()) for name, rows in groups.items()},
        "follow_up": follow_up(cohort),
        "folds": _folds(cohort, splits),
        "modalities": {name: _modality(cohort, name, groups) for name in cohort.modalities},
        "sites": dict(sorted(Counter(cohort.site or ()).items())),
        "groups": group_counts(cohort),
        "table1": [
            _column(source, name, column, groups)
            for name, source in cohort.sources.items()
            if isinstance(source, TableSource)
            for column in source.order
        ],
    }


def group_counts(cohort: Cohort) -> dict[str, Any] | None:
    """Return how many rows belong to how many groups, and what both are called; ``None`` without.

    Rows are "images" where the cohort has any, groups "patients" where their column says so.
    """
    if cohort.group is None:
        return None
    kinds = {cohort.declaration(name).kind for name in cohort.modalities}
    counted = Counter(cohort.group)
    column = str(cohort.config.group)
    return {
        "column": column,
        "n": len(counted),
        "largest": max(counted.values()),
        "rows_are": "images" if kinds & {"image", "volume"} else "rows",
        "groups_are": "patients" if "patient" in column.lower() else "groups",
    }


def _left_out(cohort: Cohort) -> list[dict[str, Any]]:
    if not cohort.left_out:
        return []
    reason = "event missing (outcome.unknown: exclude)"
    return [{"reason": reason, "n": len(cohort.left_out)}]


def _predicted(splits: Splits) -> int:
    """Count the subjects of any test part: in a hold-out split not everybody is predicted."""
    return len({name for fold in splits.folds for name in fold.test})


def _flow(cohort: Cohort, predicted: int) -> list[dict[str, Any]]:
    steps = [{"label": "in the table", "n": len(cohort) + len(cohort.left_out)}]
    if cohort.left_out:
        steps.append({"label": "left out: event missing", "n": len(cohort.left_out)})
    steps.append({"label": "analysed", "n": len(cohort)})
    if 0 < predicted < len(cohort):
        steps.append({"label": "held out and predicted", "n": predicted})
    return steps


def follow_up(cohort: Cohort) -> dict[str, Any]:
    """Return the median time to censoring by the reverse Kaplan–Meier estimate, or why not.

    Reference: Schemper and Smith (1996), Controlled Clinical Trials 17:343.
    """
    assert cohort.outcome is not None  # a described cohort was read with it
    duration = torch.from_numpy(cohort.outcome.duration)
    censored = torch.from_numpy(cohort.outcome.event == 0)
    entry = cohort.outcome.entry
    curve = kaplan_meier(
        duration, censored, entry=None if entry is None else torch.from_numpy(entry)
    )
    below = (curve.survival <= 0.5).nonzero().flatten()
    found: dict[str, Any] = {"unit": cohort.time_unit, "method": "reverse Kaplan–Meier"}
    if int(censored.sum()) < FEWEST or not len(below):
        return found | {"reason": "too few subjects were censored for a median follow-up"}
    return found | {"median": float(curve.times[below[0]])}


def _folds(cohort: Cohort, splits: Splits) -> list[dict[str, Any]]:
    assert cohort.outcome is not None
    happened = cohort.outcome.event > 0
    found = []
    for fold in splits.folds:
        rows = splits.rows(fold, cohort.subjects)
        parts = {"train": rows.train, "validation": rows.validation, "test": rows.test}
        counts = {name: len(part) for name, part in parts.items()}
        events = {name: int(happened[part.numpy()].sum()) for name, part in parts.items()}
        found.append({"repeat": fold.repeat, "fold": fold.fold, **counts, "events": events})
    return found


def _modality(cohort: Cohort, name: str, groups: _Groups) -> dict[str, Any]:
    available = cohort.available(name)
    kind = cohort.config.modality(name, source=cohort.source).kind
    by_event = {group: int(available[rows].sum()) for group, rows in groups.items()}
    return {"present": int(available.sum()), "kind": kind, "by_event": by_event}


def _column(source: TableSource, modality: str, column: str, groups: _Groups) -> dict[str, Any]:
    """Describe a column overall and by what happened; absent subjects count as missing."""
    categorical = column in source.categorical
    if categorical:
        cells = source.categorical[column]
        shown = _shown_levels([cell for cell in cells if cell is not None])

        def describe(rows: NDArray[np.bool_]) -> dict[str, Any]:
            return _of_levels(cells[rows], shown)
    else:
        numbers = source.numeric[column]

        def describe(rows: NDArray[np.bool_]) -> dict[str, Any]:
            return _of_numbers(numbers[rows])

    everybody = np.ones(len(source.available), dtype=bool)
    return {
        "modality": modality,
        "column": column,
        "kind": "categorical" if categorical else "numeric",
        **describe(everybody),
        "by_event": {name: describe(rows) for name, rows in groups.items()},
    }


def _of_numbers(values: NDArray[np.float64]) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    counts: dict[str, Any] = {"n": len(known), "missing": len(values) - len(known)}
    if len(known) < FEWEST:
        return counts | {"reason": f"fewer than {FEWEST} values"}
    q1, median, q3 = (float(value) for value in np.quantile(known, [0.25, 0.5, 0.75]))
    spread = {"mean": float(known.mean()), "sd": float(known.std(ddof=1))}
    return counts | spread | {"median": median, "q1": q1, "q3": q3}


def _of_levels(cells: NDArray[np.object_], shown: Mapping[str, str]) -> dict[str, Any]:
    known = [shown[cell] for cell in cells if cell is not None]
    counted = Counter(known)
    levels = {name: counted[name] for name in dict.fromkeys(shown.values())}
    return {"n": len(known), "missing": len(cells) - len(known), "levels": levels}


def _shown_levels(cells: Sequence[str]) -> dict[str, str]:
    """Return the name under which each level is told, in sorted order, joined ones last."""
    counted = Counter(cells)
    common = [level for level, n in counted.most_common(MOST_LEVELS) if n >= FEWEST]
    rare = sorted(counted.keys() - set(common))
    if not rare:
        return {level: level for level in sorted(common)}
    joined = f"{len(rare)} rarer level" + ("s" if len(rare) > 1 else "")
    return {level: level for level in sorted(common)} | dict.fromkeys(rare, joined)
