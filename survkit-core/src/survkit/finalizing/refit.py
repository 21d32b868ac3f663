"""The refit: the recipe of a run, trained on all subjects of its cohort."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from survkit.data import Cohort
from survkit.errors import ConfigError, DataError, RunError
from survkit.finalizing.finished_run import FinishedRun
from survkit.finalizing.refit_recipe import refit_recipe
from survkit.hub import FittedModel
from survkit.hub.address import is_on_hub
from survkit.training.fit import fit
from survkit.training.run_folder import RUN_FILE
from survkit.transfer.find_source import find_source
from survkit.transfer.hub_source import Source
from survkit.transfer.source_model import find_sources
from survkit.whole_folder import is_occupied

if TYPE_CHECKING:
    from survkit.data import PreparationCache
    from survkit.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class RefitSettings:
    """How a refit is carried out.

    Attributes:
        overwrite: Begin anew where an interrupted refit lies.
        resume: Go on with it.
        progress: Whether to show a progress bar.
        cache: Where prepared images are kept.
        registry: Where component names are looked up.
        init_from: The trained model that the folds started from, where they did.
    """

    overwrite: bool = False
    resume: bool = False
    progress: bool = True
    cache: PreparationCache | None = None
    registry: Registry | None = None
    init_from: str | Path | None = None


def refit(run: FinishedRun, cohort: Cohort, work: Path, settings: RefitSettings) -> FittedModel:
    """Train on everybody in a folder of its own, which stays if the training is interrupted.

    Raises:
        DataError: The cohort is not that of the run.
        RunError: An interrupted refit lies in the folder, or training failed.
        ConfigError: The start of the folds is not the one given.
    """
    if cohort.with_twins(run.recipe.twins).fingerprint() != run.facts.get("cohort"):
        raise DataError(
            f"{cohort.source}: is not the cohort of {run.folder}: its file, tables, images or "
            "subjects are others; give the cohort and data that the run was made from, unchanged"
        )
    plan = refit_recipe(run)
    start = _start(run, settings.init_from)
    _make_place(work, settings)
    fitted = fit(
        plan.recipe,
        cohort,
        work,
        resume=settings.resume,
        progress=settings.progress,
        cache=settings.cache,
        registry=settings.registry,
        **start,
    )
    final = run.said("refit") | plan.facts
    description = replace(
        fitted.description, training=dict(fitted.description.training) | {"final": final}
    )
    return replace(fitted, description=description)


def _make_place(work: Path, settings: RefitSettings) -> None:
    if settings.resume:
        if not (work / RUN_FILE).is_file():
            raise RunError(f"{work}: there is no interrupted refit to resume; leave out --resume")
    elif is_occupied(work):
        if not settings.overwrite:
            raise RunError(
                f"{work}: an interrupted refit lies there; give --resume to go on with it, or "
                "--overwrite to begin anew"
            )
        shutil.rmtree(work)


def _start(run: FinishedRun, given: str | Path | None) -> dict[str, Any]:
    """Return the options of ``fit`` that let it start as the folds did."""
    facts = run.facts.get("init")
    if facts is None:
        if given is not None:
            raise ConfigError(
                f"{run.folder}: its folds started as the recipe says, so the refit does too; leave "
                "out --init-from"
            )
        return {}
    weights = {*facts["weights"].values()}
    if len(weights) > 1:
        raise ConfigError(
            f"{run.folder}: each fold started from weights of its own, so there are none that a "
            "refit could start from; make an ensemble, or train a recipe with survkit fit "
            "--init-from"
        )
    if given is None:
        raise ConfigError(
            f"{run.folder}: its folds started from trained weights; say from which model with "
            "--init-from, so that the refit starts from it too, or make an ensemble"
        )
    place = _place(given, facts)
    (source,) = find_sources(place, None, ["model"])
    if source.sha256 not in weights:
        raise ConfigError(
            f"{given}: is not the model that the folds of {run.folder} started from: its weights "
            f"have the sha256 {source.sha256[:12]}…, theirs {min(weights)[:12]}…"
        )
    return {"init_from": place, "init_parts": facts["parts"], "freeze": facts["freeze"]}


def _place(given: str | Path, facts: Mapping[str, Any]) -> Source:
    """Return where the model lies; of one on the Hub, the commit that the folds started from."""
    commit = facts.get("hub", {}).get("commit") if is_on_hub(given) else None
    place = find_source(given, commit)
    assert place is not None
    return place
