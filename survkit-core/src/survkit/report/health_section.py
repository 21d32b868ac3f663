"""What parts of the model said of themselves during training, and what they warned of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.report.documents import read_facts
from survkit.report.figure import BLUE, Picture, canvas, picture
from survkit.report.learning_log import HEALTH, LearningLog
from survkit.report.page_files import PageFiles
from survkit.report.tables import Table, slug


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning that a part of the model gave during a training.

    Attributes:
        training: Its folder inside the run, such as ``fold-0``.
        module: The part, such as ``ct``.
        first: The first epoch that it was given after.
        last: The last such epoch.
        epochs: After how many.
        words: The last one.
    """

    training: str
    module: str
    first: int
    last: int
    epochs: int
    words: str


def read_warnings(run: Path) -> tuple[Warned, ...]:
    """Read the warnings of every ``training.json`` below ``fold-*``.

    Raises:
        RunError: One is damaged.
    """
    found = []
    for folder in sorted(run.glob("fold-*")):
        members = (read_facts(folder / "training.json") or {}).get("health") or []
        for number, warnings in enumerate(members):
            name = folder.name if len(members) == 1 else f"{folder.name}/member-{number}"
            found += [_warned(name, one) for one in warnings]
    return tuple(found)


def _warned(training: str, one: Mapping[str, Any]) -> Warned:
    return Warned(
        training=training,
        module=one["module"],
        first=one["first_epoch"],
        last=one["last_epoch"],
        epochs=one["epochs"],
        words=one["warning"],
    )


def health_section(
    logs: Sequence[LearningLog], warnings: Sequence[Warned], files: PageFiles
) -> Mapping[str, Any] | None:
    """Return a figure per quantity and a table of warnings; ``None`` where nothing was said."""
    columns = dict.fromkeys(
        column for log in logs for column in log.curves if column.startswith(HEALTH)
    )
    if not columns and not warnings:
        return None
    pictures = [
        files.picture(slug(column), _figure(column, [log for log in logs if column in log.curves]))
        for column in columns
    ]
    return {"pictures": pictures, "table": files.table(_table(warnings)) if warnings else None}


def _figure(column: str, logs: Sequence[LearningLog]) -> Picture:
    """Draw one quantity over epochs, one thin line per training."""
    name = column.removeprefix(HEALTH)
    drawn = [log.curves[column] for log in logs]
    with canvas(3.4, 2.3) as figure:
        axes: Any = figure.subplots()
        for epochs, values in drawn:
            marker = "o" if len(epochs) == 1 else None
            axes.plot(epochs, values, color=BLUE, lw=1.1, alpha=0.75, marker=marker)
        axes.set_title(name)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        first, last = (sum(values[at] for _, values in drawn) / len(drawn) for at in (0, -1))
        alt = (
            f"{name} over the epochs of {len(drawn)} trainings; it goes from {first:.3g} to "
            f"{last:.3g} on average."
        )
        return picture(figure, alt=alt, caption="One line per training.")


def _table(warnings: Sequence[Warned]) -> Table:
    rows = [
        (one.training, one.module, f"{one.epochs}, from {one.first} to {one.last}", one.words)
        for one in warnings
    ]
    return Table(
        name="health",
        title="Warnings during training",
        caption="What a part of the model said to be wrong with itself, in its last words. Epochs "
        "are counted from 0; the weights that predicted are those of the chosen epoch.",
        labels=("Training", "Part", "Epochs", "Warning"),
        rows=tuple(rows),
        stacked=True,
    )
