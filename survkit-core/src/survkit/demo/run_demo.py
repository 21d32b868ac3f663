"""From nothing to a cross-validated multimodal model beside the truth."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from survkit.data import Cohort, PreparationCache, Splits, fill_cache, make_splits
from survkit.demo.epoch_count import epochs_watched
from survkit.demo.oracle import best_of, evaluate_oracle
from survkit.demo.result import DemoResult, Row
from survkit.demo.settings import DemoSettings
from survkit.errors import RunError
from survkit.phantom import Phantom, PhantomConfig, generate_phantom, write_cohort
from survkit.recipe import Recipe
from survkit.training import CrossValidation, cross_validate
from survkit.whole_folder import check_replaceable, whole_folder

RESULT_FILE, FUSED = "demo.json", "fused"
LABELS = {"ct": "CT alone", "pet": "PET alone", "clinical": "clinical alone"}
WRITTEN = (RESULT_FILE, "cohort", FUSED, *LABELS)
"""All that is in the folder of a demo."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What the models have in common."""

    settings: DemoSettings
    cohort: Cohort
    splits: Splits
    cache: PreparationCache
    folder: Path
    threads: int | None


def run_demo(
    folder: str | Path,
    settings: DemoSettings | None = None,
    *,
    overwrite: bool = False,
    jobs: int | None = None,
    progress: Progress = lambda what, done, total: None,
) -> DemoResult:
    """Generate a cohort, cross-validate the fused model and each modality's own, and report.

    In the folder: ``cohort/`` (images, table, truth), a run folder per model (``fused``, ``ct``,
    ``pet``, ``clinical``), all on the same splits, and ``demo.json``.

    Args:
        folder: Where to; written whole or not at all.
        settings: The full demo by default.
        overwrite: Replace the demo that is there.
        jobs: Processes, each with one thread unless OMP_NUM_THREADS says otherwise; as many as
            cores and models by default. The numbers do not depend on it where threads do not.
        progress: Told how far it has come, also from another thread.

    Raises:
        RunError: The folder is in use or cannot be written.
        MissingExtraError: Reading and writing volumes needs the imaging extra.
    """
    settings = settings or DemoSettings()
    folder = Path(folder)
    check_replaceable(folder, mark=RESULT_FILE, written=WRITTEN, kind="demo", overwrite=overwrite)
    with whole_folder(folder) as work, TemporaryDirectory() as cache:
        phantom = _write_phantom(settings, work / "cohort", progress)
        recipes = demo_recipes(settings)
        cohort = Cohort.read(work / "cohort" / "cohort.yaml")
        jobs = _default_jobs(len(recipes)) if jobs is None else jobs
        plan = _Plan(
            settings=settings,
            cohort=cohort,
            splits=_splits(settings, cohort, recipes[FUSED]),
            cache=PreparationCache(Path(cache)),
            folder=work,
            threads=1 if jobs != 1 and "OMP_NUM_THREADS" not in os.environ else None,
        )
        _prepare(plan, progress)
        runs = _train(plan, recipes, jobs, progress)
        result = _conclude(plan, phantom, runs, progress)
    return replace(result, folder=folder, report=folder / FUSED / result.report.name)


def demo_recipes(settings: DemoSettings) -> dict[str, Recipe]:
    """Return the fused recipe and, differing in nothing but the encoders, that of each modality."""
    from survkit.plugins import default_registry

    changes = [*settings.changes, f"training.seed={settings.seed}"]
    fused = Recipe.read("demo", registry=default_registry(), overrides=changes)
    alone = {
        name: fused.model_copy(update={"encoders": {name: encoder}, "title": LABELS[name]})
        for name, encoder in fused.encoders.items()
    }
    return {FUSED: fused, **alone}


def _default_jobs(models: int) -> int:
    import joblib

    cores: Any = joblib.cpu_count
    return min(models, int(cores()))


def _write_phantom(settings: DemoSettings, folder: Path, progress: Progress) -> Phantom:
    config = PhantomConfig(subjects=settings.subjects, size=settings.size, seed=settings.seed)
    phantom = generate_phantom(config)
    write_cohort(
        phantom, folder, progress=lambda done, total: progress("drawing images", done, total)
    )
    return phantom


def _splits(settings: DemoSettings, cohort: Cohort, recipe: Recipe) -> Splits:
    return make_splits(
        cohort, folds=settings.folds, seed=settings.seed, validation=recipe.training.validation
    )


def _prepare(plan: _Plan, progress: Progress) -> None:
    """Read every image once, for all models and folds."""
    rows = range(len(plan.cohort))
    imaging = ("ct", "pet")
    fill_cache(
        plan.cohort,
        rows,
        {name: plan.cohort.input_spec(name, rows) for name in imaging},
        encoders={},
        cache=plan.cache,
        progress=lambda done, total: progress("reading images", done, total),
    )


def _train(
    plan: _Plan, recipes: dict[str, Recipe], jobs: int, progress: Progress
) -> dict[str, CrossValidation]:
    """Cross-validate every model, the largest first, at the same time where there are cores."""
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    def tell(name: str, epochs: int) -> None:
        recipe = recipes[name]
        total = recipe.training.epochs * plan.settings.folds
        progress(f"training {recipe.title}", epochs, total)

    parallel: Any = joblib.Parallel
    delayed: Any = joblib.delayed
    with epochs_watched({name: plan.folder / name for name in recipes}, tell):
        try:
            runs = parallel(n_jobs=jobs)(
                delayed(_cross_validate)(plan, name, recipe) for name, recipe in recipes.items()
            )
        except TerminatedWorkerError as error:
            raise RunError(
                "the system ended a training process, most likely for lack of memory; "
                "close other programs, or train one model at a time with --jobs 1"
            ) from error
    return dict(zip(recipes, runs, strict=True))


def _cross_validate(plan: _Plan, name: str, recipe: Recipe) -> CrossValidation:
    with _threads(plan.threads):
        return cross_validate(
            recipe,
            plan.cohort,
            plan.folder / name,
            splits=plan.splits,
            replicates=plan.settings.replicates,
            progress=False,
            cache=plan.cache,
        )


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Compute with as many threads, and leave torch as it was: the process may not be ours."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _conclude(
    plan: _Plan, phantom: Phantom, runs: dict[str, CrossValidation], progress: Progress
) -> DemoResult:
    """Evaluate the truth on the same pairs, put the models beside each other, and report."""
    from survkit.evaluation.metric_names import HARRELL
    from survkit.report import write_report

    fused = runs.pop(FUSED)
    progress("evaluating the truth", 0, 1)
    oracle = evaluate_oracle(phantom, fused.predictions, replicates=plan.settings.replicates)
    progress("evaluating the truth", 1, 1)
    best = oracle.metric(HARRELL).pooled
    single = tuple(
        Row(LABELS[name], run.evaluation, best_of(phantom, run.predictions, name))
        for name, run in runs.items()
    )
    others = {row.name: row.evaluation for row in single} | {"oracle (true hazard)": oracle}
    progress("writing the report", 0, 1)
    report = write_report(plan.folder / FUSED, evaluation=fused.evaluation, comparison=others)
    progress("writing the report", 1, 1)
    result = DemoResult(
        folder=plan.folder,
        report=report,
        fused=Row("CT + PET + clinical", fused.evaluation, best),
        single=single,
        oracle=Row("oracle (true hazard)", oracle, best),
    )
    _write_result(result, plan.settings)
    return result


def _write_result(result: DemoResult, settings: DemoSettings) -> None:
    content = {"settings": asdict(settings), "rows": [row.to_json() for row in result.rows]}
    text = json.dumps(content, indent=1) + "\n"
    (result.folder / RESULT_FILE).write_text(text, encoding="utf-8")
