"""Cross-validates every row of a published table in the same folds, and writes the table again."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Unpack

from survkit.atomic_write import write_bytes
from survkit.data import Cohort, Splits, make_splits
from survkit.reproduction.draw_figure import draw_figure
from survkit.reproduction.published_table import Reproduction, Row
from survkit.reproduction.row_condition import (
    ConditionRun,
    ConditionState,
    check_conditions,
    forget_conditions,
    run_condition,
)
from survkit.reproduction.row_plan import RowPlan, plan_rows
from survkit.reproduction.row_sources import check_sources, find_row_sources
from survkit.reproduction.table_content import RowState, TableSettings, table_content
from survkit.reproduction.write_table import write_table
from survkit.training.finish_run import finish_run, is_finished
from survkit.training.run_folder import RunFolder
from survkit.training.run_settings import RunOptions, RunSettings
from survkit.transfer import Source

log = logging.getLogger("survkit.reproduction")
ERROR_FILE = "error.txt"

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
        revisions: By the same name, the branch, tag or commit of a model on the Hub.
        column: The paper's data set to set ours beside; where ``None``, that of a cohort of this
            name, if there is one.
        device: Where the networks run that predict under a table's conditions.
    """

    rows: Sequence[str] = ()
    changes: Sequence[str] = ()
    folds: int | None = None
    repeats: int = 1
    splits: Splits | None = None
    permutations: int = 5000
    sources: Mapping[str, Source] = field(default_factory=dict)
    revisions: Mapping[str, str] = field(default_factory=dict)
    column: str | None = None
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A table that was run.

    Attributes:
        folder: With ``table.md``, ``table.csv``, ``table.json``, a run folder per row, and a stress
            test per condition and row.
        content: Of ``table.json``.
        failed: By label, why a row has no numbers; by label and condition, why it has none there.
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
    """Cross-validate the rows of a published table, all in the same folds, test them under its
    conditions, and write them beside what was published.

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
    column = table.column(chosen.column, cohort.name)
    rows = table.chosen(chosen.rows)
    changes = [*(table.columns[column].set if column else ()), *chosen.changes]
    plans = plan_rows(rows, changes, settings.seed, settings.components())
    check_sources(rows, chosen.sources, chosen.revisions)
    check_conditions(plans, table.conditions, cohort, settings.components())
    run = RunFolder(folder, overwrite=settings.overwrite, resume=settings.resume)
    begun = sorted(run.work.glob("rows/*")) if settings.resume else ()
    found = find_row_sources(chosen.sources, chosen.revisions, begun)
    chosen = replace(chosen, sources=found, revisions={})
    asked = (table, chosen, settings)
    splits = chosen.splits or _divide(table, cohort, chosen, plans[0])
    with run.attempt():
        facts = {"changes": changes, "column": column}
        run.describe(_facts(table, cohort, splits, settings) | facts, {})
        splits.write(run.work / "splits.json")
        states = _run_rows(plans, cohort, splits, run.work, asked, announce)
        states |= _found_before(table, rows, run.work)
        under = _under_conditions(table, rows, states, _condition_run(run, cohort, asked))
        numbers = TableSettings(
            column=column, replicates=settings.replicates, permutations=chosen.permutations
        )
        content = table_content(table, cohort, states, numbers, under)
        draw_figure(content, table, under, run.work)
        write_table(content, run.work)
        place = run.finish()
    return Reproduced(place, content, _failed(states, under))


def _run_rows(
    plans: Sequence[RowPlan],
    cohort: Cohort,
    splits: Splits,
    place: Path,
    asked: tuple[Reproduction, Chosen, RunSettings],
    announce: Announce | None,
) -> dict[str, RowState]:
    """Cross-validate the rows one after the other."""
    table, chosen, settings = asked
    states = {}
    for number, plan in enumerate(plans, start=1):
        if announce is not None:
            announce(plan.row.label, number, len(plans))
        own = settings
        if plan.row.init_from is not None:
            own = replace(settings, init_from=chosen.sources[plan.row.init_from])
        states[plan.row.label] = _run_row(plan, cohort, splits, place, own, tuple(table.conditions))
    return states


def _condition_run(
    run: RunFolder, cohort: Cohort, asked: tuple[Reproduction, Chosen, RunSettings]
) -> ConditionRun:
    """Return how the conditions of a table are carried out."""
    table, chosen, settings = asked
    return ConditionRun(
        cohort=cohort,
        place=run.work,
        metric=table.keys[0],
        device=chosen.device,
        registry=settings.components(),
        cache=settings.cache,
    )


def _under_conditions(
    table: Reproduction,
    rows: Sequence[Row],
    states: Mapping[str, RowState],
    work: ConditionRun,
) -> dict[str, dict[str, ConditionState]]:
    """Return by condition and label what became of the finished rows; those that were not asked for
    now are not computed anew.
    """
    asked = {row.label for row in rows}
    return {
        name: {
            label: run_condition(name, condition, state.folder, work, only_found=label not in asked)
            for label, state in states.items()
            if state.folder is not None
        }
        for name, condition in table.conditions.items()
    }


def _failed(
    states: Mapping[str, RowState], under: Mapping[str, Mapping[str, ConditionState]]
) -> dict[str, str]:
    """Return every reason, by label, or by label and condition."""
    failed = {label: state.reason for label, state in states.items() if state.reason}
    for name, of_rows in under.items():
        failed |= {
            f"{label}, {name}": state.reason for label, state in of_rows.items() if state.reason
        }
    return failed


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
    table: Reproduction, cohort: Cohort, splits: Splits, settings: RunSettings
) -> dict[str, Any]:
    """Return what ``run.json`` says; the rows asked for are not among it, for more may follow."""
    return {
        "command": "reproduce",
        "table": table.to_dict(),
        "seed": settings.seed,
        "cohort": cohort.fingerprint(),
        "left_out": list(cohort.left_out),
        "splits": splits.sha256,
    }


def _run_row(
    plan: RowPlan,
    cohort: Cohort,
    splits: Splits,
    place: Path,
    settings: RunSettings,
    conditions: Sequence[str],
) -> RowState:
    """Cross-validate one row, unless it is finished, and say where it lies or why it failed."""
    folder = plan.folder(place)
    error_file = place / "rows" / f"{plan.row.slug}-{ERROR_FILE}"
    error_file.unlink(missing_ok=True)
    try:
        finish_run(
            plan.recipe,
            cohort,
            folder,
            splits,
            settings,
            before=lambda: forget_conditions(place, conditions, plan.row.slug),
        )
    except Exception as error:  # one row must not lose the others; its reason stands in the table
        log.warning("%s: failed: %s", plan.row.label, error)
        error_file.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(error_file, traceback.format_exc().encode())
        return RowState(None, " ".join(str(error).split()) or type(error).__name__)
    return RowState(folder)


def _found_before(table: Reproduction, rows: Sequence[Row], place: Path) -> dict[str, RowState]:
    """Return the rows that were not asked for now, but finished before."""
    found = {}
    for row in table.rows:
        folder = place / "rows" / row.slug
        if row not in rows and is_finished(folder):
            found[row.label] = RowState(folder)
    return found
