"""One row under one condition: its run's test subjects predicted again, each by the model of the
fold that never saw it.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from survkit.data import Cohort, PreparationCache
from survkit.errors import ConfigError, RunError, UserError
from survkit.evaluation import Predictions, concatenate
from survkit.evaluation.read_run import read_run
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.reproduction.condition import Condition
from survkit.reproduction.published_table import row_error
from survkit.reproduction.row_plan import RowPlan
from survkit.stress import stress_run
from survkit.stress.chance import chosen
from survkit.stress.folder import SETTINGS_FILE, STRESS_FILE
from survkit.stress.measure import mixed
from survkit.stress.scenario import parse_scenario

log = logging.getLogger("survkit.reproduction")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionState:
    """What became of a row under a condition.

    Attributes:
        clean: Its run's predictions; ``None`` where there are no predictions of the condition.
        corrupted: By seed, predictions with every subject corrupted; the clean ones where the
            model reads nothing that the condition corrupts.
        reached: Whether the model reads something that the condition corrupts.
        left_out: Parts of the corruption whose modality the model lacks.
        reason: Why there are no predictions; empty where there are, and where nobody asked.
    """

    clean: Predictions | None = None
    corrupted: Sequence[Predictions] = ()
    reached: bool = True
    left_out: tuple[str, ...] = ()
    reason: str = ""

    def at(self, share: float) -> list[Predictions]:
        """Return for every seed the predictions with that share of the subjects corrupted.

        The same seed corrupts the same subjects in every row of a table.
        """
        if self.clean is None:
            return []
        if not self.reached:
            return list(self.corrupted)
        return [
            mixed(self.clean, table, chosen(self.clean, share, seed))
            for seed, table in enumerate(self.corrupted)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionRun:
    """How conditions are carried out.

    Attributes:
        cohort: That the rows were run on.
        place: Folder of the table.
        metric: Key of the metric that the stress test reports by itself.
        device: Where the networks run.
        registry: Where corruptions are looked up.
        cache: Where prepared images are kept.
    """

    cohort: Cohort
    place: Path
    metric: str
    device: str
    registry: Registry
    cache: PreparationCache | None


def condition_folder(place: Path, name: str, slug: str) -> Path:
    """Return where the stress test of a row under a condition lies."""
    return place / "conditions" / name / slug


def check_conditions(
    plans: Sequence[RowPlan],
    conditions: Mapping[str, Condition],
    cohort: Cohort,
    registry: Registry,
) -> None:
    """Refuse conditions that a row's model could not meet, before anything trains.

    Raises:
        UserError: A corruption does not exist, has other settings, or is not for that kind of
            input, with the row; or the cohort has none of the modalities that it is about.
    """
    for name, condition in conditions.items():
        _refuse_nowhere(name, condition, cohort)
    for plan in plans:
        kinds = {
            name: cohort.config.modality(name).kind
            for name in plan.modalities
            if name in cohort.modalities  # else the row fails by itself, and says why
        }
        for condition in conditions.values():
            text, _ = condition.reaching(kinds)
            try:
                if text:
                    parse_scenario(text, kinds, registry)
            except UserError as error:
                raise row_error(plan.row, error) from error


def _refuse_nowhere(name: str, condition: Condition, cohort: Cohort) -> None:
    """Refuse a condition that changes no modality of the cohort: its numbers would be clean."""
    text, left_out = condition.reaching(cohort.modalities)
    if not text:
        raise ConfigError(
            f"conditions.{name}: {' + '.join(left_out)} is about no modality of the cohort, so "
            f"nobody would be corrupted. The cohort has {', '.join(cohort.modalities)}."
        )


def run_condition(
    name: str, condition: Condition, run: Path, work: ConditionRun, *, only_found: bool = False
) -> ConditionState:
    """Corrupt the inputs of a finished row, unless that was done before.

    Args:
        name: Of the condition.
        condition: What is done.
        run: The row's run folder.
        work: How it is carried out.
        only_found: Compute nothing; a row without results has none then.
    """
    text, left_out = condition.reaching(Recipe.read(run / "recipe.yaml").modalities)
    clean = read_run(run)
    if not text:
        same = [clean] * condition.seeds
        return ConditionState(clean=clean, corrupted=same, reached=False, left_out=left_out)
    folder = condition_folder(work.place, name, run.name)
    try:
        if not _is_of(folder, clean):
            if only_found:
                return ConditionState(left_out=left_out)
            _stress(text, condition, run, folder, work)
        found = _read(folder, condition.seeds)
    except UserError as error:  # the row keeps its other numbers; the table says why
        log.warning("%s, %s: failed: %s", run.name, name, error)
        return ConditionState(left_out=left_out, reason=" ".join(str(error).split()))
    return ConditionState(clean=found[0], corrupted=found[1], left_out=left_out)


def _stress(text: str, condition: Condition, run: Path, folder: Path, work: ConditionRun) -> None:
    """Run the stress test; an interrupted one goes on."""
    hidden = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(folder, ignore_errors=True)  # of a run that is there no more
    folder.parent.mkdir(parents=True, exist_ok=True)
    stress_run(
        run,
        work.cohort,
        out=folder,
        corruptions=[text],
        fractions=[condition.fraction],
        seeds=condition.seeds,
        metric=work.metric,
        replicates=0,
        device=work.device,
        resume=(hidden / SETTINGS_FILE).is_file(),
        cache=work.cache,
        registry=work.registry,
    )


def forget_conditions(place: Path, names: Sequence[str], slug: str) -> None:
    """Remove the results of a row that is trained anew."""
    for name in names:
        folder = condition_folder(place, name, slug)
        for each in (folder, folder.with_name(f".{folder.name}.new")):
            shutil.rmtree(each, ignore_errors=True)


def _is_of(folder: Path, clean: Predictions) -> bool:
    """Whether a finished stress test of this run lies there."""
    file = folder / STRESS_FILE
    if not file.is_file():
        return False
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{file}: damaged ({error}); delete {folder}") from error
    return bool(found["predictions"] == clean.fingerprint())


def _read(folder: Path, seeds: int) -> tuple[Predictions, list[Predictions]]:
    """Return the clean predictions and those of every seed; one table where nothing is random."""
    tables = folder / "predictions"
    files = [each for each in tables.glob("*.seed-*.parquet") if not each.name.startswith("only.")]
    by_seed = {int(each.stem.rpartition("-")[2]): Predictions.read(each) for each in files}
    if sorted(by_seed) not in (list(range(seeds)), [0]):
        raise RunError(_why_none(folder, seeds, sorted(by_seed)))
    clean = Predictions.read(tables / "clean.parquet")
    return clean, [by_seed[seed if seed in by_seed else 0] for seed in range(seeds)]


def _why_none(folder: Path, seeds: int, found: Sequence[int]) -> str:
    """Return the stress test's own reason where it has one, else that files are missing."""
    content = json.loads((folder / STRESS_FILE).read_text(encoding="utf-8"))
    noisy = content["corruptions"][0]["fractions"][0]["noisy"]
    if "reason" in noisy:
        return str(noisy["reason"])
    return f"{folder}: predictions of seeds {list(found)} where {seeds} were drawn; delete it"


def stack_seeds(tables: Sequence[Predictions]) -> Predictions:
    """Return tables of the same subjects as repeats of one, so that metrics are means over seeds
    and every resample or swap of a subject moves it under all seeds.
    """
    return concatenate(
        [
            replace(table, repeat=table.repeat * len(tables) + seed, model=tables[0].model)
            for seed, table in enumerate(tables)
        ]
    )
