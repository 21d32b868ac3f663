"""A finished cross-validation whose models are to become one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.data import Fold, Splits
from survkit.errors import RunError
from survkit.hub.model_files import CONFIG_FILE, read_plain_json
from survkit.hub.model_folder import SPLITS_FILE
from survkit.recipe import Recipe
from survkit.training.cross_validate import fold_names
from survkit.training.fit_part import RESULT_FILE
from survkit.training.run_folder import RUN_FILE
from survkit.transfer.source_model import read_splits

METRICS_FILE, RECIPE_FILE = "metrics.json", "recipe.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """A run of ``survkit cv`` of a network that has come to its end.

    Attributes:
        folder: The run.
        facts: Content of ``run.json``.
        recipe: What was trained, with its search.
        splits: Its folds.
        metrics: Content of ``metrics.json``, byte for byte.
    """

    folder: Path
    facts: Mapping[str, Any]
    recipe: Recipe
    splits: Splits
    metrics: bytes

    @property
    def folds(self) -> list[Path]:
        """Model folders of the folds, in their order."""
        return [self.folder / name for name in fold_names(self.splits)]

    def said(self, by: str) -> dict[str, Any]:
        """Return what the model that is made of it says of the run, under ``training.final``."""
        repeats = [fold.repeat for fold in self.splits.folds]
        return {
            "by": by,
            "folds": max(repeats.count(one) for one in repeats),
            "repeats": len({*repeats}),
            "run": self.folder.resolve().name,
            "splits_sha256": self.splits.sha256,
        }

    def check_place(self, facts: Mapping[str, Any], fold: Fold, path: Path) -> None:
        """Refuse a file that is not of the fold in whose folder it lies.

        Args:
            facts: Of a training, as the file has them.
            fold: That the folder is named after.
            path: The file.

        Raises:
            RunError: It is of another run or fold.
        """
        seed = facts.get("seed")
        place = seed[1:] if isinstance(seed, list) else None
        if facts.get("splits_sha256") != self.splits.sha256 or place != [fold.repeat, fold.fold]:
            raise RunError(f"{path.parent}: holds a model of another run or fold ({path.name})")

    def fold_facts(self, name: str) -> list[Any]:
        """Return the content of one JSON file of every fold.

        Raises:
            RunError: A file is missing or damaged.
        """
        return [_read(folder / name) for folder in self.folds]


def read_finished_run(run: str | Path) -> FinishedRun:
    """Open a run, or say why no model can be made of it.

    Raises:
        RunError: It is no run of ``survkit cv``, has not finished, is one of a baseline, or files
            in it are of different runs.
    """
    folder = Path(run)
    if (folder / CONFIG_FILE).is_file():
        raise RunError(
            f"{folder}: holds one model already; survkit finalize makes one of the folds of a run "
            "of survkit cv"
        )
    if not (folder / RUN_FILE).is_file() or not (folder / RECIPE_FILE).is_file():
        raise RunError(f"{folder}: is no run of survkit cv: no {RUN_FILE} and {RECIPE_FILE} there")
    facts = _read(folder / RUN_FILE)
    if facts.get("command") != "cv":
        raise RunError(
            f"{folder}: is no run of survkit cv but of survkit {facts.get('command')}, so it has "
            "no folds to make a model of"
        )
    recipe = Recipe.read(folder / RECIPE_FILE)
    if recipe.baseline is not None:
        raise RunError(
            f"{folder}: is a run of the baseline '{recipe.baseline.use}', which is fitted anew in "
            "every fold and never stored, so there is nothing to make a model of; run survkit cv "
            "with the recipe of a network"
        )
    _check_recipe(recipe, facts, folder)
    _check_init(facts.get("init"), folder / RUN_FILE)
    splits = read_splits(folder)
    if splits is None:
        raise _unfinished(folder, SPLITS_FILE)
    for name in (f"{fold}/{file}" for fold in fold_names(splits) for file in _OF_FOLDS):
        if not (folder / name).is_file():
            raise _unfinished(folder, name)
    if not (folder / METRICS_FILE).is_file():
        raise _unfinished(folder, METRICS_FILE)
    found = _read(folder / METRICS_FILE)
    if found.get("splits_hash") != splits.sha256:
        raise RunError(
            f"{folder / METRICS_FILE}: is of another division than {SPLITS_FILE}; the files are of "
            "different runs"
        )
    metrics = (folder / METRICS_FILE).read_bytes()
    return FinishedRun(folder=folder, facts=facts, recipe=recipe, splits=splits, metrics=metrics)


def _check_recipe(recipe: Recipe, facts: Mapping[str, Any], folder: Path) -> None:
    """Refuse another recipe than that which the numbers of the run are of."""
    if facts.get("recipe") != json.loads(json.dumps(recipe.to_dict())):
        raise RunError(
            f"{folder / RECIPE_FILE}: is not the recipe that the run was made by, which {RUN_FILE} "
            "keeps; put it back as it was"
        )


def _check_init(init: Any, path: Path) -> None:
    """Refuse what does not say which weights the folds started from, where they did."""
    if init is None:
        return
    weights = init.get("weights") if isinstance(init, dict) else None
    if not isinstance(weights, dict) or not weights or {"parts", "freeze"} - {*init}:
        raise RunError(f"{path}: damaged: it does not say which weights the folds started from")


_OF_FOLDS = (CONFIG_FILE, RESULT_FILE)


def _unfinished(folder: Path, missing: str) -> RunError:
    return RunError(
        f"{folder}: the run has not finished: no {missing} is there; go on with it by survkit cv "
        "--resume"
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_plain_json(path)
    except FileNotFoundError as error:
        raise RunError(f"{path}: is not there; the run is not whole") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: damaged: it holds no keys and values")
    return content
