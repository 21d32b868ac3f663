"""One cross-validation of several that belong together: kept where it is finished, gone on with
where it was interrupted.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from survkit.data import Cohort, Splits
from survkit.errors import RunError
from survkit.recipe import Recipe
from survkit.training.cross_validate import cross_validate, run_facts
from survkit.training.run_folder import RUN_FILE
from survkit.training.run_settings import RunOptions, RunSettings

_LAST_FILES = (RUN_FILE, "predictions.parquet", "metrics.json", "report.html")
"""What a run holds once it has come to its end."""


def finish_run(
    recipe: Recipe,
    cohort: Cohort,
    folder: Path,
    splits: Splits,
    settings: RunSettings,
    *,
    before: Callable[[], None] = lambda: None,
) -> None:
    """Cross-validate a recipe, unless the folder holds the finished run of it.

    Args:
        recipe: With its seed.
        cohort: Read with its outcome.
        folder: The run folder, in a folder of ours.
        splits: The division.
        settings: Of the run; whether it is gone on with is seen from the folder.
        before: Called before anything is trained.

    Raises:
        RunError: The folder is damaged or of another run, or training failed.
        UserError: Recipe, cohort and division do not fit.
    """
    own = replace(settings, overwrite=False, resume=(folder / RUN_FILE).is_file())
    if own.resume and _is_of(recipe, cohort, folder, splits, own):
        return
    before()
    if not own.resume:  # of a process that was killed before it had begun
        shutil.rmtree(folder, ignore_errors=True)
    options = {name: getattr(own, name) for name in RunOptions.__annotations__}
    cross_validate(recipe, cohort, folder, splits=splits, **cast(RunOptions, options))


def is_finished(folder: Path) -> bool:
    """Whether a cross-validation in a folder has come to its end."""
    return all((folder / name).is_file() for name in _LAST_FILES)


def _is_of(
    recipe: Recipe, cohort: Cohort, folder: Path, splits: Splits, settings: RunSettings
) -> bool:
    """Whether a folder holds the finished run of this recipe on this cohort and division."""
    if not is_finished(folder):
        return False
    facts = run_facts(recipe, cohort.with_twins(recipe.twins), splits, settings)
    try:
        found = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{folder / RUN_FILE}: damaged ({error}); delete {folder}") from error
    return bool(found == json.loads(json.dumps({"recipe": recipe.to_dict(), **facts})))
