"""Fits everything on one training part: levels, grid, scalers, weights, baseline."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from survkit.atomic_write import write_bytes
from survkit.build import Part as ComponentPart
from survkit.build import Parts, provider
from survkit.compose import Composition
from survkit.data import Cohort, SubjectStore, store_for
from survkit.data.part_summary import summarise_part
from survkit.errors import RunError
from survkit.flow import ModalityInput
from survkit.hub.description import ModelDescription, Provider
from survkit.hub.fitted_model import FittedModel, declared
from survkit.hub.load import load_model
from survkit.hub.save import save_pretrained
from survkit.model import SurvivalModel
from survkit.part_sizes import part_sizes
from survkit.plugins import API_VERSION
from survkit.protocols import FitsBaseline
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.specs import InputSpec, OutcomeSpec
from survkit.training.compose_member import compose_member, start_of
from survkit.training.fit_inputs import fit_inputs
from survkit.training.fit_outcome import fit_outcome
from survkit.training.learning import check_outputs
from survkit.training.named_files import (
    NamedFile,
    files_of,
    preparation_without_folders,
    recipe_without_folders,
    without_folders,
)
from survkit.training.plan import TrainingPlan
from survkit.training.random_state import seed_everything
from survkit.training.reading_bar import reading_bar
from survkit.training.train import TrainingResult, forget_checkpoint, train
from survkit.training.training_corruptions import training_corruptions
from survkit.transfer import Start, StartReport
from survkit.transfer.begin import train_mode
from survkit.transfer.exposure import write_exposures

if TYPE_CHECKING:
    from survkit.data import PreparationCache

log = logging.getLogger("survkit.training")
RESULT_FILE = "training.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One training part of a cohort and how it is trained.

    Attributes:
        recipe: Without anything left to choose.
        cohort: Read with its outcome.
        train: Positions of those on whom everything is fitted.
        validation: Positions of those who choose the epoch.
        seed: Numbers that together seed it, such as (seed, repeat, fold).
        splits_hash: Of the file that says who is in which part.
        registry: Where component names are looked up.
        cache: Where prepared images are kept.
        resume: Go on where an interrupted run stopped.
        progress: Whether to show a progress bar.
        start: Trained weights to start from; ``None`` to start as the recipe says.
    """

    recipe: Recipe
    cohort: Cohort
    train: Sequence[int]
    validation: Sequence[int]
    seed: tuple[int, ...]
    splits_hash: str
    registry: Registry
    cache: PreparationCache | None = None
    resume: bool = False
    progress: bool = False
    start: Start | None = None


@dataclass(frozen=True, slots=True)
class PartResult:
    """A model and how well its training part predicted the validation part.

    Attributes:
        fitted: The model.
        score: Mean of the members' validation scores; ``None`` without a validation part.
    """

    fitted: FittedModel
    score: float | None
    facts: dict[str, Any] = field(default_factory=dict)


def fit_part(part: Part, folder: Path) -> PartResult:
    """Fit a model and leave it, its log and ``training.json`` in the folder.

    A folder with ``training.json`` is finished; with ``resume`` its model is loaded instead.
    """
    result_file = folder / RESULT_FILE
    if part.resume and result_file.is_file():
        facts = _read_result(result_file)
        return PartResult(load_model(folder, registry=part.registry), facts["score"], facts)
    folder.mkdir(parents=True, exist_ok=True)
    outcome = fit_outcome(part.recipe, part.cohort, part.train)
    specs = {name: part.cohort.input_spec(name, part.train) for name in part.recipe.encoders}
    members: list[SurvivalModel] = []
    results: list[TrainingResult] = []
    count, files = part.recipe.training.members, files_of(part.recipe)
    for number in range(count):
        home = folder if count == 1 else folder / f"member-{number}"
        composition, result, report = _fit_member(part, number, specs, outcome, home)
        members.append(composition.model)
        results.append(result)
    scores = [result.score for result in results if result.score is not None]
    facts = _facts(part, results, sum(scores) / len(scores) if scores else None)
    facts |= {"parts": part_sizes(members[0]), **start_of(part, report)}
    facts |= _read_files(files, report)
    if results[0].health is not None:
        facts["health"] = [result.health for result in results]
    if part.start is not None:
        write_exposures(part.start.exposures, folder)
    description = _describe(part, composition, specs, outcome, facts)
    fitted = FittedModel(tuple(members), description)
    save_pretrained(fitted, folder, overwrite=True)
    write_bytes(result_file, (json.dumps(facts, indent=1) + "\n").encode())
    for home in [folder, *folder.glob("member-*")]:
        forget_checkpoint(home)
    return PartResult(fitted, facts["score"], facts)


def _read_result(path: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        facts["score"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(
            f"{path}: damaged ({error}); delete the file to train this part again, or start anew "
            "with --overwrite"
        ) from error
    return facts


def _fit_member(
    part: Part, number: int, specs: dict[str, InputSpec], outcome: OutcomeSpec, folder: Path
) -> tuple[Composition, TrainingResult, StartReport | None]:
    """Compose, fit scalers, train, and fit the baseline of one network."""
    config, seed = part.recipe.training, (*part.seed, number)
    seed_everything(*seed)
    composition, report = compose_member(part, number, specs, outcome)
    model = composition.model
    rows = [int(row) for row in (*part.train, *part.validation)]
    encoders = {name: encoder.eval() for name, encoder in model.encoders.items()}
    corruptions = training_corruptions(part.recipe, part.cohort, specs, encoders, part.registry)
    with reading_bar(shown=part.progress) as told:
        store = store_for(
            part.cohort, rows, specs, encoders=encoders, cache=part.cache, progress=told
        )
    train_rows = rows[: len(part.train)]
    kept = () if report is None else report.loaded  # their scaling came with their weights
    fit_inputs(model, store, train_rows, config.micro_batch, kept=kept)
    train_mode(model, report)
    plan = TrainingPlan(
        config=config,
        objective=composition.objective,
        outcome=outcome,
        store=store,
        train=train_rows,
        train_target=part.cohort.target(train_rows),
        validation=rows[len(part.train) :],
        corruptions=corruptions,
        seed=seed,
    )
    result = train(model, plan, folder, resume=part.resume, progress=part.progress)
    log.info("%s: epoch %d was chosen, gradient: %s", folder, result.best_epoch, result.gradient)
    fit_baseline(model, store, train_rows, config.micro_batch)
    return composition, result, report


def fit_baseline(
    model: SurvivalModel, store: SubjectStore, rows: Sequence[int], micro_batch: int
) -> None:
    """Let a head that needs a baseline hazard estimate it from the training subjects.

    Raises:
        DivergedError: The network's outputs are not finite.
    """
    if not isinstance(model.head, FitsBaseline):
        return
    model.eval()
    dtype = next(model.parameters()).dtype
    parameters = []
    with torch.no_grad():
        for start in range(0, len(rows), micro_batch):
            inputs = store.inputs(rows[start : start + micro_batch])
            typed = {
                name: ModalityInput(
                    value.values.to(dtype), value.present, value.token_mask, value.complete
                )
                for name, value in inputs.items()
            }
            parameters.append(model(typed, penalties=False).parameters)
    check_outputs(torch.cat(parameters), "after training")
    target = store.batch(rows).target
    cast(FitsBaseline, model.head).fit_baseline(torch.cat(parameters), target)


def _facts(part: Part, results: list[TrainingResult], score: float | None) -> dict[str, Any]:
    return {
        "score": score,
        "monitor": part.recipe.training.monitor,
        "best_epoch": [result.best_epoch for result in results],
        "epochs": [result.epochs for result in results],
        "gradient": [result.gradient for result in results],
        "train_subjects": len(part.train),
        "validation_subjects": len(part.validation),
        "train_part": summarise_part(part.cohort, part.train, part.recipe.modalities),
        "seed": list(part.seed),
        "splits_sha256": part.splits_hash,
        "cohort": part.cohort.name,
    }


def _read_files(
    files: dict[str, NamedFile], report: StartReport | None
) -> dict[str, dict[str, NamedFile]]:
    """Return the files of weights that were read; none by a part that a trained model gave."""
    loaded = () if report is None else report.loaded
    read = {
        path: file for path, file in files.items() if ".".join(path.split(".")[:2]) not in loaded
    }
    return {"files": read} if read else {}


def _describe(
    part: Part,
    composition: Composition,
    specs: dict[str, InputSpec],
    outcome: OutcomeSpec,
    facts: dict[str, Any],
) -> ModelDescription:
    providers: dict[str, Provider] = {}

    def qualified(one: ComponentPart) -> ComponentPart:
        """Name the plugin also for the core's parts, so that nothing installed later hides them."""
        found = provider(one, part.registry)
        providers[found.qualified_name] = Provider(found.distribution, found.version)
        return replace(one, name=found.qualified_name)

    made = without_folders(composition.parts, composition.model)
    encoders = {name: qualified(one) for name, one in made.encoders.items()}
    parts = Parts(encoders=encoders, fusion=qualified(made.fusion), head=qualified(made.head))
    return ModelDescription(
        parts=parts,
        providers=providers,
        outcome=outcome,
        inputs=specs,
        preparation={
            name: preparation_without_folders(declared(part.cohort, name)) for name in specs
        },
        members=len(facts["epochs"]),
        training=facts | {"recipe": recipe_without_folders(part.recipe)},
        api_version=API_VERSION,
        twins=part.recipe.twins,
    )
