"""How training went, fold by fold."""

from __future__ import annotations

from collections.abc import Sequence

from survkit.report.figure import BLUE, GREEN, VERMILION, Picture, canvas, picture
from survkit.report.learning_log import LearningLog

_LOSSES = (("train_loss", "training", BLUE), ("validation_loss", "validation", VERMILION))


def learning_figure(logs: Sequence[LearningLog]) -> Picture:
    """Draw losses and the validation concordance over epochs, one thin line per training."""
    has_concordance = any("validation_concordance" in log.curves for log in logs)
    with canvas(5.2, 5.0 if has_concordance else 2.7) as figure:
        axes = figure.subplots(2 if has_concordance else 1, 1, sharex=True, squeeze=False)[:, 0]
        for column, label, colour in _LOSSES:
            drawn = [log.curves[column] for log in logs if column in log.curves]
            for number, (epochs, values) in enumerate(drawn):
                marker = "o" if len(epochs) == 1 else None
                shown = label if not number else "_nolegend_"
                axes[0].plot(
                    epochs, values, color=colour, lw=1.1, alpha=0.75, marker=marker, label=shown
                )
        axes[0].set_title("Loss")
        axes[0].legend(loc="upper right")
        if has_concordance:
            for log in logs:
                epochs, values = log.curves.get("validation_concordance", ([], []))
                marker = "o" if len(epochs) == 1 else None
                axes[1].plot(epochs, values, color=GREEN, lw=1.1, alpha=0.75, marker=marker)
            axes[1].axhline(0.5, color="#8a949e", lw=0.8, ls=":")
            axes[1].set_title("Concordance in the inner validation part")
        axes[-1].set_xlabel("epoch")
        axes[-1].xaxis.get_major_locator().set_params(integer=True)
        return picture(figure, alt=_alt(logs), caption=_CAPTION)


_CAPTION = (
    "One line per training. The validation part is cut out of the training subjects of each fold; "
    "the subjects reported on this page took no part in it."
)


def _alt(logs: Sequence[LearningLog]) -> str:
    parts = [f"Learning curves of {len(logs)} trainings."]
    for column, words in (
        ("train_loss", "Training loss"),
        ("validation_loss", "Validation loss"),
        ("validation_concordance", "Validation concordance"),
    ):
        drawn = [log.curves[column][1] for log in logs if column in log.curves]
        if drawn:
            first = sum(values[0] for values in drawn) / len(drawn)
            last = sum(values[-1] for values in drawn) / len(drawn)
            parts.append(f"{words} goes from {first:.3g} to {last:.3g} on average.")
    return " ".join(parts)
