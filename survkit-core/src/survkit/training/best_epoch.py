"""Keeps the weights of the best epoch by the inner validation part, and stops when none is
better.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from survkit.training.module import SurvivalModule
from survkit.training.validation_score import is_better
from survkit.training.weights_file import write_weights


class BestEpoch(Checkpoint):
    """Writes ``best.pt`` whenever the monitored number improves.

    The file is written before the checkpoint of the epoch. A run interrupted in between repeats
    that epoch and writes the same file again.

    Args:
        path: The file.
        monitor: As in the recipe.
        patience: Epochs without improvement before training stops; ``None`` for never.
    """

    def __init__(self, path: Path, *, monitor: str, patience: int | None) -> None:
        super().__init__()
        self.path = path
        self.monitor = monitor
        self.patience = patience
        self.epoch: int | None = None
        self.score: float | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop at once where the interrupted run had already stopped."""
        if self.epoch is not None:
            self._stop_if_patience_is_over(trainer, trainer.current_epoch - 1)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compare the epoch with the best so far."""
        assert isinstance(pl_module, SurvivalModule)
        record = pl_module.record
        value = record.validation_loss if self.monitor == "loss" else record.validation_concordance
        if value is not None and is_better(value, self.score, self.monitor):
            self.epoch, self.score = record.epoch, value
            if trainer.is_global_zero:
                write_weights(pl_module.model, self.path)
        self._stop_if_patience_is_over(trainer, record.epoch)

    def state_dict(self) -> dict[str, Any]:
        """Return the best epoch and its score."""
        return {"epoch": self.epoch, "score": self.score}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take them from a checkpoint."""
        self.epoch, self.score = state_dict["epoch"], state_dict["score"]

    def _stop_if_patience_is_over(self, trainer: Trainer, epoch: int) -> None:
        best = -1 if self.epoch is None else self.epoch
        if self.patience is not None and epoch - best >= self.patience:
            trainer.should_stop = True
