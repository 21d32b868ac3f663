"""The progress bar of a training: its name, its epochs, its validation concordance."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from survkit.training.epoch_bar import EpochBar, epoch_words, training_title


@pytest.mark.parametrize(
    ("folder", "title"),
    [
        ("runs/cv/fold-2", "fold-2"),
        ("runs/.cv.new/fold-1-2/member-0", "fold-1-2/member-0"),
        ("runs/cv/fold-0/candidates/3", "fold-0/candidates/3"),
        ("runs/model", "model"),
    ],
)
def test_a_training_is_named_by_its_fold(folder: str, title: str) -> None:
    """Which of fifty trainings is running can be read off the bar."""
    assert training_title(Path(folder)) == title


def test_an_epoch_in_words_leaves_out_what_there_is_not() -> None:
    """Without a validation part only the training loss is known."""
    row = {"train_loss": 1.25, "validation_loss": None, "validation_concordance": None}

    assert epoch_words(row) == "loss 1.2500"
    row |= {"validation_loss": 0.5, "validation_concordance": 0.7}
    assert epoch_words(row) == "loss 1.2500, validation loss 0.5000, validation concordance 0.700"


def run_bar(console: Console) -> None:
    """Go through two of three epochs, and end by an exception."""
    from survkit.training.module import SurvivalModule

    row = {"train_loss": 1.0, "validation_loss": 0.5, "validation_concordance": 0.75}
    module: Any = SurvivalModule.__new__(SurvivalModule)
    object.__setattr__(module, "record", SimpleNamespace(row=lambda: row))
    bar = EpochBar("fold-1", console)
    trainer: Any = SimpleNamespace(is_global_zero=True, max_epochs=3, current_epoch=0)
    bar.on_train_start(trainer, module)
    for epoch in range(2):
        trainer.current_epoch = epoch
        bar.on_train_epoch_end(trainer, module)
    bar.on_exception(trainer, module, KeyboardInterrupt())


def test_epochs_are_counted_from_one_to_their_number() -> None:
    """After the second of three epochs the bar stands at 2/3, with the concordance beside it."""
    screen = io.StringIO()
    run_bar(Console(file=screen, force_terminal=True, width=160))

    shown = screen.getvalue()
    assert "fold-1" in shown
    assert "2/3" in shown
    assert "validation concordance 0.750" in shown


def test_nothing_is_drawn_where_there_is_no_terminal() -> None:
    """A log file is not filled with bars."""
    screen = io.StringIO()
    run_bar(Console(file=screen))

    assert screen.getvalue() == ""
