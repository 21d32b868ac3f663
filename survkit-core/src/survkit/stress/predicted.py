"""All folds predicted: the tables that everything else is measured on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from survkit.evaluation import Predictions, concatenate
from survkit.stress.folder import StressFolder
from survkit.stress.predict_fold import (
    CLEAN,
    FoldOutcome,
    FoldTask,
    predict_fold,
    seeds_of,
    table_key,
)
from survkit.stress.run_parts import FoldPart, RunParts, as_table, check_reproduced
from survkit.stress.scenario import Scenario
from survkit.stress.settings import StressSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """What all models said.

    Attributes:
        clean: As the run did, computed again here.
        corrupted: By :func:`survkit.stress.predict_fold.table_key`; every subject corrupted.
        subsets: By key; only the subjects who have some modality of the subset.
        failed: By key of a scenario or subset, why it could not be predicted.
        kept: By scenario, how many subjects (counted in every repeat) were left as they are
            because no modality would have been left to them.
    """

    clean: Predictions
    corrupted: Mapping[str, Predictions]
    subsets: Mapping[str, Predictions]
    failed: Mapping[str, str]
    kept: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is predicted for every fold."""

    modalities: Sequence[str]
    scenarios: Sequence[Scenario]
    subsets: Mapping[str, frozenset[str]]
    seeds: Sequence[int]

    @property
    def passes(self) -> int:
        """Predictions per subject."""
        return sum(len(seeds_of(each, self.seeds)) for each in self.scenarios)

    def names(self) -> dict[str, str]:
        """Return what each table is called, by its key."""
        named = {CLEAN: "", **{key: key.replace("only.", "only ") for key in self.subsets}}
        for scenario in self.scenarios:
            for seed in seeds_of(scenario, self.seeds):
                named[table_key(scenario, seed)] = f"{scenario.label}, seed {seed}"
        return named


def predict_run(
    parts: RunParts,
    plan: Plan,
    folder: StressFolder,
    settings: StressSettings,
    advance: Callable[[int], None],
) -> Predicted:
    """Predict fold by fold; folds that an interrupted stress test has kept are read.

    Raises:
        DataError: A fold's model does not predict what the run says, on this cohort.
    """
    tables: dict[str, list[Predictions]] = {}
    failed: dict[str, str] = {}
    reached: dict[str, int] = {}
    kept: dict[str, int] = {}
    for part in parts.folds():
        found = folder.read_fold(part.name)
        if found is None:
            found = _predicted(parts, part, plan, settings, advance)
            folder.keep_fold(part.name, *found)
        else:
            advance(plan.passes * len(part.rows))
        of_fold, facts = found
        for key, table in of_fold.items():
            tables.setdefault(key, []).append(table)
        failed |= facts["failed"]
        for total, name in ((reached, "reached"), (kept, "kept")):
            for key, count in facts[name].items():
                total[key] = total.get(key, 0) + count
    for scenario in plan.scenarios:
        if kept.get(scenario.key, 0) and not reached.get(scenario.key, 0):
            failed.setdefault(scenario.key, _nothing_left(scenario))
    joined = {
        key: concatenate(found)
        for key, found in tables.items()
        if not any(key == name or key.startswith(f"{name}.seed-") for name in failed)
    }
    clean = joined.pop(CLEAN)
    subsets = {key: joined.pop(key) for key in plan.subsets if key in joined}
    return Predicted(clean=clean, corrupted=joined, subsets=subsets, failed=failed, kept=kept)


def _nothing_left(scenario: Scenario) -> str:
    taken = " and ".join(f"'{name}'" for name in scenario.modalities)
    return (
        f"no subject has another modality than {taken} that the model takes, so nothing is left to "
        "predict from"
    )


def _predicted(
    parts: RunParts,
    part: FoldPart,
    plan: Plan,
    settings: StressSettings,
    advance: Callable[[int], None],
) -> tuple[dict[str, Predictions], dict[str, Any]]:
    """Return the tables of one fold by key, and what is to be known about them."""
    outcome = predict_fold(
        FoldTask(
            fitted=part.fitted,
            cohort=parts.cohort,
            rows=part.rows,
            scenarios=plan.scenarios,
            seeds=plan.seeds,
            subsets=plan.subsets,
            micro_batch=parts.recipe.training.micro_batch,
            device=settings.device,
            cache=settings.cache,
            advance=advance,
        )
    )
    tables = _tables(outcome, part, plan)
    check_reproduced(tables[CLEAN], part, parts.folder)
    return tables, {"failed": outcome.failed, "reached": outcome.reached, "kept": outcome.kept}


def _tables(outcome: FoldOutcome, part: FoldPart, plan: Plan) -> dict[str, Predictions]:
    model, names = part.table.model, plan.names()
    tables = {}
    for key, prediction in outcome.predictions.items():
        rows = outcome.rows.get(key)
        like = part.table if rows is None else part.table.select(_index(rows))
        called = f"{model} ({names[key]})" if names[key] else model
        tables[key] = as_table(prediction, like, called)
    return tables


def _index(rows: Sequence[int]) -> Any:
    import numpy as np

    return np.asarray(rows, dtype=np.int64)
