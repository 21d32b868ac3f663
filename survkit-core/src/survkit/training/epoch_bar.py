"""One line per training that says which part it is, how far it has come, and how well it does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from survkit.training.module import SurvivalModule


class EpochBar(Callback):
    """Counts epochs on standard error; silent where that is no terminal.

    Args:
        title: Which training it is, such as ``fold-2/member-1``.
        console: Where it is drawn; standard error by default.
    """

    def __init__(self, title: str, console: Console | None = None) -> None:
        self.title = title
        self._console = console or Console(file=sys.stderr)
        self._bar: Any = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the bar; a resumed training starts where it was interrupted."""
        if not (trainer.is_global_zero and self._console.is_terminal):
            return
        columns = (
            TextColumn(self.title),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("epochs  {task.fields[said]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self._console)
        self._bar.add_task(
            self.title, total=trainer.max_epochs, completed=trainer.current_epoch, said=""
        )
        self._bar.start()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count the epoch, and say how the validation part is ranked by now."""
        if self._bar is None:
            return
        assert isinstance(pl_module, SurvivalModule)
        self._bar.update(
            self._bar.task_ids[0],
            completed=trainer.current_epoch + 1,
            said=epoch_words(pl_module.record.row()),
        )

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the finished line."""
        self._stop()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Give the terminal back, whatever ended the training."""
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def training_title(folder: Path, run: str = "fold-") -> str:
    """Name a training by its folder: from the fold on, else its last part."""
    parts = folder.parts
    start = next((k for k, part in enumerate(parts) if part.startswith(run)), len(parts) - 1)
    return "/".join(parts[start:])


def epoch_words(row: dict[str, Any]) -> str:
    """Say in a few words what an epoch's line of the log holds."""
    said = [f"loss {row['train_loss']:.4f}"]
    if row["validation_loss"] is not None:
        said.append(f"validation loss {row['validation_loss']:.4f}")
    if row["validation_concordance"] is not None:
        said.append(f"validation concordance {row['validation_concordance']:.3f}")
    return ", ".join(said)
