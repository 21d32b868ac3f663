"""What is refused before anything is written or trained, in every fold."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch

from survkit.compose import compose
from survkit.data import Cohort, Fold, Splits
from survkit.errors import ConfigError, DataError, UserError
from survkit.metrics.estimate import Undefined
from survkit.metrics.harrell import harrell_concordance
from survkit.recipe import Recipe
from survkit.training.baseline_preflight import check_baseline_run
from survkit.training.candidates import candidates
from survkit.training.fit_outcome import check_unit, fit_outcome
from survkit.training.optimizer import build_optimizer
from survkit.training.quiet import quiet_lightning
from survkit.training.train import resolve_precision, resolve_strategy
from survkit.training_config import TrainingConfig

if TYPE_CHECKING:
    from survkit.registry import Registry


def check_run(recipe: Recipe, cohort: Cohort, splits: Splits, registry: Registry) -> None:
    """Refuse what would fail later: in another fold, or with another value of the search.

    Models are composed for the first fold alone: folds differ in the levels of columns, which
    decide nothing about what fits.

    Raises:
        UserError: Recipe, cohort, division and machine do not fit; the message names the fold
            where there are several.
    """
    if recipe.baseline is not None:
        check_baseline_run(recipe, cohort, splits, registry)
        return
    if recipe.search and recipe.training.validation == 0 and not splits.folds[0].validation:
        raise ConfigError("recipe.search chooses on a validation part; set training.validation > 0")
    tried = [one for _, one in candidates(recipe)]
    for one in tried:  # what does not fit is no fault of a fold, and is not told as one
        check_devices(one.training)
        check_unit(one, cohort)
        for name in one.encoders:
            cohort.available(name)
    for number, fold in enumerate(splits.folds):
        try:
            for one in tried:
                _check_fold(one, cohort, splits, fold)
        except UserError as error:
            if len(splits.folds) == 1:
                raise
            raise type(error)(f"{fold.name}: {error}") from error
        for one in tried if number == 0 else ():
            _try_composing(one, cohort, splits, registry)


def _check_fold(recipe: Recipe, cohort: Cohort, splits: Splits, fold: Fold) -> None:
    """Refuse a fold whose training part teaches nothing or whose validation part tells nothing."""
    rows = splits.rows(fold, cohort.subjects)
    fit_outcome(recipe, cohort, rows.train.tolist())
    for name in recipe.encoders:
        if not bool(np.any(cohort.available(name)[rows.train.numpy()])):
            raise DataError(
                f"{cohort.source}: no training subject has the modality '{name}'; leave it out of "
                "encoders, or divide the cohort otherwise"
            )
    if not len(rows.validation) or recipe.training.monitor != "concordance":
        return
    target = cohort.target(rows.validation.tolist())
    scores = torch.zeros(len(target.duration), dtype=torch.float64)
    found = [
        harrell_concordance(scores, target, cause=cause)
        for cause in range(1, len(cohort.causes) + 1)
    ]
    if all(isinstance(result, Undefined) for result in found):
        raise DataError(
            f"no two of the {len(scores)} validation subjects can be compared, so no epoch can be "
            "chosen; set training.monitor to loss, or training.validation to a larger share or to 0"
        )


def _try_composing(recipe: Recipe, cohort: Cohort, splits: Splits, registry: Registry) -> None:
    train = splits.rows(splits.folds[0], cohort.subjects).train.tolist()
    specs = {name: cohort.input_spec(name, train) for name in recipe.encoders}
    with torch.random.fork_rng(devices=[]):  # nothing here may change what training draws
        composition = compose(recipe, specs, fit_outcome(recipe, cohort, train), registry)
    build_optimizer(composition.model, recipe.training.optimizer, fused=False)


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
