"""A checkpoint after every epoch from which an interrupted run goes on to the same weights."""

from __future__ import annotations

import os
from pathlib import Path

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint


class ResumePoint(Checkpoint):
    """Writes the whole state of training under a temporary name and renames it.

    It must be the last callback: what the others hold is part of it.

    Args:
        path: The checkpoint.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the checkpoint of the epoch."""
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
