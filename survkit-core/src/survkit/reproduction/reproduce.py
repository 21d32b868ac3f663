"""Cross-validates every row of a published table in the same folds, and writes the table again."""

from __future__ import annotations

import json
import logging
import shutil
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Unpack, cast

from survkit.atomic_write import write_bytes
from survkit.data import Cohort, Splits, make_splits
from survkit.errors import RunError
from survkit.reproduction.published_table import Reproduction
from survkit.reproduction.row_plan import RowPlan, check_sources, plan_rows
from survkit.reproduction.table_content import RowState, table_content
from survkit.reproduction.write_table import write_table
from survkit.training.cross_validate import cross_validate, run_facts
from survkit.training.run_folder import RunFolder
from survkit.training.run_settings import RunOptions, RunSettings

log = logging.getLogger("survkit.reproduction")
ERROR_FILE = "error.txt"
_RUN_FILES = ("run.json", "predictions.parquet", "metrics.json", "report.html")

Announce = Callable[[str, int, int], None]
"""Told the label of a row that starts, its number from 1, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What of a table is run, and how it is divided.

    Attributes:
        rows: Labels; all where there are none.
        changes: ``path=value`` for the recipes of all rows.
        folds: Test parts; those of the table where ``None``.
        repeats: How often the cohort is divided anew.
        splits: A given division instead.
        permutations: Random swaps of the paired permutation test.
        sources: By the name that rows give it, a trained model or run to start from.
    """

    rows: Sequence[str] = ()
    changes: Sequence[str] = ()
    folds: int | None = None
    repeats: int = 1
    splits: Splits | None = None
    permutations: int = 5000
    sources: Mapping[str, str | Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A table that was run.

    Attributes:
        folder: With ``table.md``, ``table.csv``, ``table.json``, and a run folder per row.
        content: Of ``table.json``.
        failed: By label, why a row has no numbers.
    """

    folder: Path
    content: Mapping[str, Any]
    failed: Mapping[str, str] = field(default_factory=dict)


def reproduce(
    table: Reproduction,
    cohort: Cohort,
    folder: str | Path,
    *,
    chosen: Chosen | None = None,
    announce: Announce | None = None,
    **options: Unpack[RunOptions],
) -> Reproduced:
    """Cross-validate the rows of a published table, all in the same folds, and write them beside
    what was published.

    A row that fails keeps its reason in the table and does not stop the others. With ``resume``
    finished rows are kept as they are, and rows that were not asked for before can be added.

    Args:
        table: What was published.
        cohort: Read with its outcome.
        folder: Where everything is written.
        chosen: Which rows, and how the cohort is divided.
        announce: Told before every row that is run.
        options: Fields of :class:`survkit.training.run_settings.RunSettings`: ``seed``, ``jobs``,
            ``replicates``, ``overwrite``, ``resume``, ``progress``, ``cache``, ``registry``,
            ``different_subjects``.

    Raises:
        RunError: The folder is in use, or the interrupted run was another one.
        ConfigError: A recipe is missing, or rows cannot stand in one table.
    """
    chosen = chosen or Chosen()
    settings = RunSettings(**options)
    rows = table.chosen(chosen.rows)
    plans = plan_rows(rows, chosen.changes, settings.seed, settings.components())
    check_sources(rows, chosen.sources)
    run = RunFolder(folder, overwrite=settings.overwrite, resume=settings.resume)
    splits = chosen.splits or _divide(table, cohort, chosen, plans[0])
    with run.attempt():
        run.describe(_facts(table, cohort, splits, chosen, settings), {})
        splits.write(run.work / "splits.json")
        states = {}
        for number, plan in enumerate(plans, start=1):
            if announce is not None:
                announce(plan.row.label, number, len(plans))
            own = settings
            if plan.row.init_from is not None:
                own = replace(settings, init_from=chosen.sources[plan.row.init_from])
            states[plan.row.label] = _run_row(plan, cohort, splits, run.work, own)
        states |= _found_before(table, rows, run.work)
        content = _content(table, cohort, states, chosen, settings)
        write_table(content, run.work)
        place = run.finish()
    failed = {label: state.reason for label, state in states.items() if state.reason}
    return Reproduced(place, content, failed)


def _content(
    table: Reproduction,
    cohort: Cohort,
    states: Mapping[str, RowState],
    chosen: Chosen,
    settings: RunSettings,
) -> dict[str, Any]:
    replicates = settings.replicates
    return table_content(
        table, cohort, states, replicates=replicates, permutations=chosen.permutations
    )


def _divide(table: Reproduction, cohort: Cohort, chosen: Chosen, first: RowPlan) -> Splits:
    """Divide the cohort once for all rows, whose recipes agree on seed and validation part."""
    return make_splits(
        cohort,
        folds=chosen.folds or table.folds,
        repeats=chosen.repeats,
        seed=first.recipe.training.seed,
        validation=first.recipe.training.validation,
    )


def _facts(
    table: Reproduction, cohort: Cohort, splits: Splits, chosen: Chosen, settings: RunSettings
) -> dict[str, Any]:
    """Return what ``run.json`` says; the rows asked for are not among it, for more may follow."""
    return {
        "command": "reproduce",
        "table": table.to_dict(),
        "changes": list(chosen.changes),
        "seed": settings.seed,
        "cohort": cohort.fingerprint(),
        "left_out": list(cohort.left_out),
        "splits": splits.sha256,
    }


def _run_row(
    plan: RowPlan, cohort: Cohort, splits: Splits, place: Path, settings: RunSettings
) -> RowState:
    """Cross-validate one row, unless it is finished, and say where it lies or why it failed."""
    folder = plan.folder(place)
    own = replace(settings, overwrite=False, resume=(folder / "run.json").is_file())
    error_file = place / "rows" / f"{plan.row.slug}-{ERROR_FILE}"
    error_file.unlink(missing_ok=True)
    try:
        expected = {"recipe": plan.recipe.to_dict(), **run_facts(plan.recipe, cohort, splits, own)}
        if own.resume and _is_finished(folder, expected):
            return RowState(folder)
        if not own.resume:  # of a process that was killed before it had begun
            shutil.rmtree(folder, ignore_errors=True)
        options = {name: getattr(own, name) for name in RunOptions.__annotations__}
        cross_validate(plan.recipe, cohort, folder, splits=splits, **cast(RunOptions, options))
    except Exception as error:  # one row must not lose the others; its reason stands in the table
        log.warning("%s: failed: %s", plan.row.label, error)
        error_file.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(error_file, traceback.format_exc().encode())
        return RowState(None, " ".join(str(error).split()) or type(error).__name__)
    return RowState(folder)


def _is_finished(folder: Path, expected: Mapping[str, Any]) -> bool:
    """Whether a run folder holds the finished run of these facts."""
    if not all((folder / name).is_file() for name in _RUN_FILES):
        return False
    try:
        found = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{folder / 'run.json'}: damaged ({error}); delete {folder}") from error
    return bool(found == json.loads(json.dumps(expected)))


def _found_before(table: Reproduction, rows: Sequence[Any], place: Path) -> dict[str, RowState]:
    """Return the rows that were not asked for now, but finished before."""
    found = {}
    for row in table.rows:
        folder = place / "rows" / row.slug
        if row not in rows and all((folder / name).is_file() for name in _RUN_FILES):
            found[row.label] = RowState(folder)
    return found
