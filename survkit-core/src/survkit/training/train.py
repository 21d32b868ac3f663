"""One training from the first epoch, or from where it was interrupted, to the chosen weights."""

from __future__ import annotations

import gc
import pickle
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from survkit.errors import RunError
from survkit.model import SurvivalModel
from survkit.training.plan import TrainingPlan
from survkit.training.quiet import quiet_lightning
from survkit.training.weights_file import read_weights
from survkit.training_config import TrainingConfig

CHECKPOINT_FOLDER = "checkpoint"


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """How a training went.

    Attributes:
        best_epoch: The epoch whose weights were taken, counted from 0.
        score: Its validation score by the recipe's monitor; ``None`` without a validation part.
        epochs: Epochs trained.
        gradient: How gradients were computed, and why.
        health: By module, what it warned of, as ``training.json`` has it; ``None`` where no module
            says how it fares.
    """

    best_epoch: int
    score: float | None
    epochs: int
    gradient: str
    health: list[dict[str, Any]] | None = None


def train(
    model: SurvivalModel, plan: TrainingPlan, folder: Path, *, resume: bool, progress: bool
) -> TrainingResult:
    """Train in place; afterwards the model is in eval mode on the CPU with the chosen weights.

    Args:
        model: Freshly composed, scalers fitted.
        plan: Subjects, objective and seed.
        folder: Gets ``log.csv`` and, until training ends, ``checkpoint/``.
        resume: Go on from the checkpoint, if there is one.
        progress: Whether to show a progress bar.

    Raises:
        DivergedError: The loss is not finite.
        RunError: The checkpoint is of another recipe.
    """
    result = _train(model, plan, folder, resume=resume, progress=progress)
    gc.collect()  # trainer and module hold each other; the optimizers of many folds would pile up
    return result


def _train(
    model: SurvivalModel, plan: TrainingPlan, folder: Path, *, resume: bool, progress: bool
) -> TrainingResult:
    from survkit.training.best_epoch import BestEpoch
    from survkit.training.epoch_bar import EpochBar, training_title
    from survkit.training.epoch_log import EpochLog
    from survkit.training.module import SurvivalModule
    from survkit.training.resume_point import ResumePoint

    config = plan.config
    kept = folder / CHECKPOINT_FOLDER
    if not resume:
        shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True, exist_ok=True)
    if config.compile:
        for part in (*model.encoders.values(), model.fusion, model.head):
            part.compile()
    best = BestEpoch(kept / "best.pt", monitor=config.monitor, patience=config.patience)
    log, point = EpochLog(folder / "log.csv"), ResumePoint(kept / "last.ckpt")
    callbacks: list[Any] = [*([best] if len(plan.validation) else []), log, point]
    if progress:
        callbacks.append(EpochBar(training_title(folder)))
    module = SurvivalModule(model, plan)
    with quiet_lightning():
        trainer = _trainer(config, folder, callbacks, plan=plan)
        _run(trainer, module, point.path if point.path.is_file() else None)
    return _take(model, kept, best.path)


def _take(model: SurvivalModel, kept: Path, best: Path) -> TrainingResult:
    """Read weights and facts from the checkpoint: with several processes this one may not have
    them.
    """
    from survkit.training.best_epoch import BestEpoch
    from survkit.training.epoch_log import EpochLog

    state = torch.load(kept / "last.ckpt", map_location="cpu", weights_only=True)
    held = {name.split("{")[0]: value for name, value in state["callbacks"].items()}
    chosen = held.get(BestEpoch.__qualname__, {"epoch": None, "score": None})
    epochs = len(held[EpochLog.__qualname__]["rows"])
    model.cpu()
    if chosen["epoch"] is None:
        weights = state["state_dict"]
        prefixed = {name.removeprefix("model."): value for name, value in weights.items()}
        model.load_state_dict(prefixed, strict=True, assign=True)
    else:
        read_weights(model, best)
    model.eval()
    mode, reason = state["gradient"]
    return TrainingResult(
        best_epoch=epochs - 1 if chosen["epoch"] is None else chosen["epoch"],
        score=chosen["score"],
        epochs=epochs,
        gradient=f"{mode} ({reason})",
        health=state["health"],
    )


def forget_checkpoint(folder: Path) -> None:
    """Remove what only an interrupted training needs."""
    shutil.rmtree(folder / CHECKPOINT_FOLDER, ignore_errors=True)


def resolve_precision(config: TrainingConfig) -> str:
    """Return Lightning's name of the precision; "auto" is bf16 on GPUs that have it."""
    if config.precision != "auto":
        return config.precision
    on_gpu = config.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return "bf16-mixed" if on_gpu and torch.cuda.is_bf16_supported() else "32-true"


def _trainer(
    config: TrainingConfig,
    folder: Path,
    callbacks: list[Any],
    *,
    plan: TrainingPlan,
) -> Any:
    from lightning.pytorch import Trainer

    return Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        strategy=resolve_strategy(config),
        precision=resolve_precision(config),  # type: ignore[arg-type]
        max_epochs=config.epochs,
        limit_val_batches=1.0 if len(plan.validation) else 0,
        callbacks=callbacks,
        logger=False,
        default_root_dir=folder,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        deterministic="warn" if torch.cuda.is_available() else None,
    )


def resolve_strategy(config: TrainingConfig) -> str:
    """Return Lightning's name of the strategy.

    Several devices of one machine are driven by processes that this one starts and outlives, so
    that what follows training happens once.
    """
    several = config.devices not in (1, "auto")
    return "ddp_spawn" if several and config.strategy == "auto" else config.strategy


def _check_whole(checkpoint: Path) -> None:
    """Refuse a checkpoint that was damaged after it was written."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise RunError(
            f"{checkpoint}: not a whole checkpoint; delete it to train this part from its first "
            "epoch, or start anew with --overwrite"
        ) from error


def _run(trainer: Any, module: Any, start: Path | None) -> None:
    if start is not None:
        _check_whole(start)
    try:
        trainer.fit(module, ckpt_path=None if start is None else str(start), weights_only=True)
    except RuntimeError as error:
        if start is not None and "state_dict" in str(error):
            raise RunError(
                f"{start}: the checkpoint is of another model; train anew with --overwrite"
            ) from error
        raise
    if trainer.interrupted:
        raise KeyboardInterrupt
