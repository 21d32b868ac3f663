"""The content of ``table.json``: every row's published number beside what was measured here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.comparison import Comparison, compare
from survkit.comparison.comparable_metrics import metric_name
from survkit.data import Cohort
from survkit.errors import UserError
from survkit.reproduction.published_table import Reproduction, Row

FORMAT = "survkit-reproduction/1"
"""Keys may be added under one version, not renamed or removed."""


@dataclass(frozen=True, slots=True)
class RowState:
    """Where a row's run lies, or why it failed.

    Attributes:
        folder: Of a finished run; ``None`` where it failed.
        reason: Why it failed; empty where it did not.
    """

    folder: Path | None
    reason: str = ""


def table_content(
    table: Reproduction,
    cohort: Cohort,
    states: Mapping[str, RowState],
    *,
    replicates: int,
    permutations: int,
) -> dict[str, Any]:
    """Return all numbers of the table as plain data.

    Args:
        table: What was published.
        cohort: That all rows were run on.
        states: By label; rows without one were not run.
        replicates: Bootstrap resamples of differences; 0 for no intervals.
        permutations: Random swaps of the paired permutation test.
    """
    done = {label: state.folder for label, state in states.items() if state.folder is not None}
    measured = {label: _read(folder / "metrics.json") for label, folder in done.items()}
    compared, why_not = _compared(table, done, replicates, permutations)
    cause = next(iter(next(iter(measured.values()))["causes"])) if measured else cohort.causes[0]
    same = cohort.name.casefold() == table.cohort.casefold()
    return {
        "format": FORMAT,
        "title": table.title,
        "source": table.source,
        "protocol": table.protocol,
        "published_cohort": table.cohort,
        "cohort": cohort.name,
        "same_cohort": same,
        "statement": _statement(table.cohort, cohort.name, same=same),
        "subjects": len(cohort),
        "fingerprint": cohort.fingerprint(),
        "cause": cause,
        "run": _run(next(iter(measured.values()))) if measured else None,
        "settings": {"replicates": replicates, "permutations": permutations},
        "reference": table.reference_row.label,
        "no_comparison": why_not,
        "metrics": [_metric(table, key, cause, states, measured, compared) for key in table.keys],
        "notes": list(table.notes),
    }


def _metric(
    table: Reproduction,
    key: str,
    cause: str,
    states: Mapping[str, RowState],
    measured: Mapping[str, Mapping[str, Any]],
    compared: Comparison | None,
) -> dict[str, Any]:
    name, first = metric_name(key), key == table.keys[0]
    rows = [_row(row, key, cause, states, measured, compared, first=first) for row in table.rows]
    return {"key": key, "label": name.label, "best": name.best, "rows": rows}


def _statement(published: str, here: str, *, same: bool) -> str:
    if same:
        return (
            f"Computed here on a cohort of the paper's name, '{here}'. Subjects, preparation and "
            "folds may still differ from the paper's."
        )
    return (
        f"ANOTHER COHORT: computed here on '{here}', published on '{published}'. The numbers of "
        "the two are not to be set against each other; only rows of one column can be compared."
    )


def _run(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return what all rows share of their evaluation."""
    names = ("splits_hash", "time_unit", "horizon", "repeats", "folds", "censored")
    return {name: metrics[name] for name in names}


def _compared(
    table: Reproduction, done: Mapping[str, Path], replicates: int, permutations: int
) -> tuple[Comparison | None, str]:
    """Compare every finished row with the reference, or say why that is not possible."""
    reference = table.reference_row.label
    if reference not in done:
        return None, f"the reference row '{reference}' has no result"
    if len(done) < 2:
        return None, f"no other row than the reference '{reference}' has a result"
    try:
        found = compare(
            {label: done[label] for label in done},
            metric=table.keys,
            reference=reference,
            replicates=0 if replicates < 2 else replicates,  # one resample has no spread
            permutations=permutations,
        )
    except UserError as error:
        return None, str(error)
    return found, ""


def _row(
    row: Row,
    key: str,
    cause: str,
    states: Mapping[str, RowState],
    measured: Mapping[str, Mapping[str, Any]],
    compared: Comparison | None,
    *,
    first: bool,
) -> dict[str, Any]:
    state = states.get(row.label)
    content: dict[str, Any] = {
        "label": row.label,
        "recipe": row.recipe,
        "set": list(row.set),
        "init_from": row.init_from,
        "published": row.published.model_dump() if first and row.published else None,
        "state": "not run" if state is None else "failed" if state.reason else "finished",
        "reason": state.reason if state else "",
    }
    if row.label in measured:
        found = measured[row.label]["causes"][cause]["metrics"][key]
        content |= {name: found[name] for name in ("pooled", "across_folds", "across_repeats")}
        content["run"] = f"rows/{row.slug}"
    if compared is not None:
        for pair in compared.metrics[key].pairs:
            if pair.first == row.label:
                content["difference"] = pair.difference.to_json()
                content["permutation"] = pair.permutation.to_json()
                content["p_holm"] = pair.p_holm
    return content


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
