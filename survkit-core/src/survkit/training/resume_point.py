"""A checkpoint from which an interrupted run goes on to the same weights."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

SHARE = 0.1
"""Writing takes at most about this share of the time; a small model's epoch is shorter than its
checkpoint takes to write."""


class ResumePoint(Checkpoint):
    """Writes the whole state of training under a temporary name and renames it.

    After the first and the last epoch, and in between after every epoch that took much longer than
    writing. Epochs that are lost so are trained again, to the same weights. It must be the last
    callback: what the others hold is part of it.

    Args:
        path: The checkpoint.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._next = 0.0

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the checkpoint of the epoch if it is due."""
        last = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        due = bool(last or monotonic() >= self._next)
        if trainer.world_size > 1:  # every rank takes part in writing, so one decides for all
            due = trainer.strategy.broadcast(due)
        if due:
            began = monotonic()
            self._write(trainer)
            now = monotonic()
            self._next = now + (now - began) / SHARE

    def _write(self, trainer: Trainer) -> None:
        temporary = self.path.with_name(f".{self.path.name}.part")
        try:
            trainer.save_checkpoint(temporary)
            if trainer.is_global_zero:
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
                temporary.replace(self.path)
        except OSError:  # a full disk gets back what half a checkpoint took
            temporary.unlink(missing_ok=True)
            raise
        trainer.strategy.barrier("resume point")
