"""What an epoch showed: one line of the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from survkit.errors import DivergedError
from survkit.training.gradient_cache import StepResult

HEALTH = "health/"
"""What the columns of the log begin with that say how modules fare."""


@dataclass(slots=True)
class EpochRecord:
    """One epoch.

    Attributes:
        epoch: Counted from 0.
        lr_factor: By what the learning rates were multiplied.
        losses: Mean over the epoch's risk sets of the weighted losses by name, of the weighted
            penalties, and of their sum ``train_loss``.
        validation_loss: Of the whole validation part in eval mode, where there is one.
        validation_concordance: Of the whole validation part: Harrell's, or Antolini's where that is
            the monitor.
        health: What modules say of themselves, by ``<part>.<name>``.
    """

    epoch: int = 0
    lr_factor: float = 1.0
    losses: dict[str, float] = field(default_factory=dict)
    validation_loss: float | None = None
    validation_concordance: float | None = None
    health: dict[str, float] = field(default_factory=dict)

    def row(self) -> dict[str, float | int | None]:
        """Return the line of the log; columns in a fixed order."""
        fixed = {
            "epoch": self.epoch,
            "train_loss": self.losses["train_loss"],
            "validation_loss": self.validation_loss,
            "validation_concordance": self.validation_concordance,
            "lr_factor": self.lr_factor,
        }
        losses = {name: value for name, value in self.losses.items() if name not in fixed}
        health = {f"{HEALTH}{name}": value for name, value in self.health.items()}
        return fixed | losses | health


def mean_losses(steps: Sequence[StepResult], epoch: int) -> dict[str, float]:
    """Return the means over the steps of an epoch; the only time the host waits for the device.

    Raises:
        DivergedError: The loss of a step is not finite.
    """
    names = list(steps[0].terms)
    values = torch.stack(
        [torch.stack([*step.terms.values(), step.penalty.to(_dtype(step))]) for step in steps]
    ).cpu()
    finite = values.isfinite().all(dim=1)
    if not bool(finite.all()):
        step = int((~finite).nonzero()[0])
        raise DivergedError(
            f"the loss became {float(values[step].sum())} in epoch {epoch}, step {step}; "
            "lower training.optimizer.lr or set training.gradient_clip"
        )
    means = values.double().mean(dim=0).tolist()
    losses = {"train_loss": sum(means)}
    losses |= {f"loss/{name}": mean for name, mean in zip(names, means[:-1], strict=True)}
    return losses | {"penalty": means[-1]}


def check_outputs(parameters: Tensor, when: str) -> None:
    """Refuse outputs that are not finite; ``when`` is such as "after epoch 3".

    Raises:
        DivergedError: The weights went astray.
    """
    if not bool(parameters.isfinite().all()):
        raise DivergedError(
            f"the network's outputs are not finite {when}; "
            "lower training.optimizer.lr or set training.gradient_clip"
        )


def _dtype(step: StepResult) -> torch.dtype:
    return next((value.dtype for value in step.terms.values()), step.penalty.dtype)
