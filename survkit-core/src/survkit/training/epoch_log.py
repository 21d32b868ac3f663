"""``log.csv``: one line per epoch, always."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from survkit.atomic_write import write_bytes
from survkit.training.module import SurvivalModule


class EpochLog(Checkpoint):
    """Writes the log anew after every epoch; its lines are part of the checkpoint.

    So a resumed run neither repeats nor loses a line, whenever it was interrupted. Every line has
    every column; what an epoch has no value of is an empty cell.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.rows: list[dict[str, Any]] = []

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the line of the epoch."""
        assert isinstance(pl_module, SurvivalModule)
        self.rows.append(pl_module.record.row())
        if trainer.is_global_zero:
            text = io.StringIO()
            names = dict.fromkeys(name for row in self.rows for name in row)
            writer = csv.DictWriter(text, fieldnames=list(names), lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
            write_bytes(self.path, text.getvalue().encode())

    def state_dict(self) -> dict[str, Any]:
        """Return the lines so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the lines of the interrupted run."""
        self.rows = list(state_dict["rows"])
