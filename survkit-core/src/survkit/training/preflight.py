"""What is refused before anything is written or trained, in every fold."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from survkit.build import Parts
from survkit.compose import compose
from survkit.data import Cohort, FoldRows, Splits
from survkit.data.shared_files import refuse_shared_files
from survkit.errors import ConfigError, DataError, UserError
from survkit.model import SurvivalModel
from survkit.recipe import Recipe
from survkit.training.baseline_preflight import check_baseline_run
from survkit.training.candidates import NO_VALIDATION, candidates, check_comparable
from survkit.training.check_order import check_order
from survkit.training.fit_outcome import check_unit, fit_outcome
from survkit.training.horizon_pair import has_horizon_pair
from survkit.training.inner_folds import inner_folds
from survkit.training.optimizer import build_optimizer
from survkit.training.quiet import quiet_lightning
from survkit.training.train import resolve_precision, resolve_strategy
from survkit.training.training_corruptions import training_corruptions
from survkit.training_config import TrainingConfig
from survkit.transfer import Start, begin
from survkit.transfer.exposure import seen_among

if TYPE_CHECKING:
    from survkit.registry import Registry


def check_run(
    recipe: Recipe,
    cohort: Cohort,
    splits: Splits,
    registry: Registry,
    start: Start | None = None,
) -> None:
    """Refuse what would fail later: in another fold, or with another value of the search.

    Models are composed for the first fold alone: folds differ in the levels of columns, which
    decide nothing about what fits.

    Args:
        recipe: Of a network or of a baseline.
        cohort: Read with its outcome.
        splits: Of the run.
        registry: Where component names are looked up.
        start: Trained weights that the first fold starts from; ``None`` for none.

    Raises:
        UserError: Recipe, cohort, division and machine do not fit; the message names the fold
            where there are several.
    """
    if recipe.baseline is not None:
        check_baseline_run(recipe, cohort, splits, registry)
        return
    refuse_shared_files(cohort, recipe.encoders)
    if recipe.search:
        check_comparable(recipe)
        if recipe.training.search_folds == 1 and not splits.folds[0].validation:
            raise ConfigError(NO_VALIDATION)
    tried = [one for _, one in candidates(recipe)]
    for one in tried:  # what does not fit is no fault of a fold, and is not told as one
        check_devices(one.training)
        check_unit(one, cohort)
        for name in one.encoders:
            cohort.available(name)
    for fold in splits.folds:
        try:
            _check_fold(recipe, tried, cohort, splits.rows(fold, cohort.subjects))
        except UserError as error:
            if len(splits.folds) == 1:
                raise
            raise type(error)(f"{fold.name}: {error}") from error
    train = splits.rows(splits.folds[0], cohort.subjects).train.tolist()
    _check_choice(recipe, cohort, train, start)
    for one in tried:
        _try_composing(one, cohort, train, registry, start)


def _check_fold(recipe: Recipe, tried: Sequence[Recipe], cohort: Cohort, rows: FoldRows) -> None:
    """Refuse a fold on which a candidate could not be trained, or candidates not be compared."""
    train = rows.train.tolist()
    for one in tried:
        _check_part(one, cohort, train, rows.validation.tolist())
    if recipe.search and recipe.training.search_folds > 1:
        _check_inner(recipe, tried, cohort, train)


def _check_part(recipe: Recipe, cohort: Cohort, train: list[int], validation: list[int]) -> None:
    """Refuse a training part that teaches nothing, or subjects to choose on that tell nothing."""
    fit_outcome(recipe, cohort, train)
    check_order(cohort, train)
    for name in recipe.encoders:
        if not bool(np.any(cohort.available(name)[train])):
            raise DataError(
                f"{cohort.source}: no training subject has the modality '{name}'; leave it out of "
                "encoders, or divide the cohort otherwise"
            )
    if not validation or recipe.training.monitor == "loss":
        return
    if not has_horizon_pair(cohort, validation, recipe.outcome.horizon):
        raise DataError(
            f"no two of the {len(validation)} validation subjects can be compared, so no epoch "
            "can be chosen; set training.monitor to loss, or training.validation to a larger "
            "share or to 0"
        )


def _check_inner(recipe: Recipe, tried: Sequence[Recipe], cohort: Cohort, train: list[int]) -> None:
    """Refuse inner folds that teach nothing, or on which candidates cannot be compared."""
    config = recipe.training
    for number, inner in enumerate(inner_folds(cohort, train, config.search_folds, config.seed)):
        try:
            for one in tried:
                _check_part(one, cohort, inner.train, [])
                if not has_horizon_pair(cohort, inner.left_out, one.outcome.horizon):
                    raise DataError(
                        f"no two of the {len(inner.left_out)} left-out subjects can be compared; "
                        "set training.search_folds lower"
                    )
        except UserError as error:
            raise type(error)(f"inner fold {number} of the search: {error}") from error


def _check_choice(recipe: Recipe, cohort: Cohort, train: list[int], start: Start | None) -> None:
    """Refuse a search whose inner left-out subjects the first weights have seen."""
    if start is None or not recipe.search or recipe.training.search_folds == 1:
        return
    seen = seen_among(start.exposures, cohort, [cohort.subjects[row] for row in train])
    if seen:
        raise DataError(
            f"recipe.search chooses on inner folds of the training part, but {seen} of its "
            f"{len(train)} subjects are among those that {start.model.name} was trained on; leave "
            "out the search, or set training.search_folds to 1 (it then chooses on the validation "
            "part)"
        )


def _try_composing(
    recipe: Recipe, cohort: Cohort, train: list[int], registry: Registry, start: Start | None
) -> None:
    specs = {name: cohort.input_spec(name, train) for name in recipe.encoders}
    outcome = fit_outcome(recipe, cohort, train)

    def from_weights(model: SurvivalModel, parts: Parts) -> None:
        assert start is not None
        begin(start, model, parts, outcome, specs, registry=registry)

    with torch.random.fork_rng(devices=[]):  # nothing here may change what training draws
        composition = compose(
            recipe, specs, outcome, registry, begin=None if start is None else from_weights
        )
    build_optimizer(composition.model, recipe.training.optimizer, fused=False)
    encoders = dict(composition.model.encoders.items())
    training_corruptions(recipe, cohort, specs, encoders, registry)


def check_devices(config: TrainingConfig) -> None:
    """Refuse devices, strategy and precision that this machine does not have.

    Raises:
        ConfigError: In the words of Lightning, which knows what there is.
    """
    from lightning.fabric.utilities.exceptions import MisconfigurationException
    from lightning.pytorch import Trainer
    from lightning.pytorch.accelerators import CPUAccelerator

    given = (
        f"training.accelerator: {config.accelerator}, devices: {config.devices}, "
        f"strategy: {config.strategy}, precision: {config.precision}"
    )
    try:
        with quiet_lightning(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer = Trainer(
                accelerator=config.accelerator,
                devices=config.devices,
                strategy=resolve_strategy(config),
                precision=resolve_precision(config),  # type: ignore[arg-type]
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
    except (MisconfigurationException, ValueError) as error:
        raise ConfigError(f"{given}: {' '.join(str(error).split())}") from error
    if not isinstance(trainer.accelerator, CPUAccelerator):
        return
    if config.precision == "16-mixed":
        raise ConfigError(f"{given}: a CPU has no float16; set training.precision to bf16-mixed")
    if trainer.num_devices > (os.cpu_count() or 1):
        raise ConfigError(
            f"{given}: there are {os.cpu_count()} CPU cores; ask for as many devices at most"
        )
