"""Training of a shallow model; the validation subjects choose the epoch."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Generator

from survkit.errors import DataError
from survkit.losses.cox import cox_loss
from survkit.metrics import Result, Undefined, harrell_concordance
from survkit_radvit.shallow.importance import attention_mass, token_importance
from survkit_radvit.shallow.shallow_vit_cox import ShallowViTCox
from survkit_radvit.shallow.subjects import Study, Subjects


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How a model is trained, by Adam.

    Attributes:
        epochs: All are run; the best is kept.
        batch: Subjects per step, which are also its risk set.
        lr: Learning rate.
        weight_decay: Added to the gradient, times the weight.
    """

    epochs: int
    batch: int = 128
    lr: float = 1e-3
    weight_decay: float = 1e-4


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model.

    Attributes:
        model: With the weights of the best epoch.
        best_epoch: From 1; 0 is before training.
        validation: Harrell's concordance of the validation subjects, before training and after
            every epoch.
        mass: Attention on relevant tokens, mean over the validation subjects, at the same times.
    """

    model: ShallowViTCox
    best_epoch: int
    validation: tuple[float, ...]
    mass: tuple[float, ...]


def train(model: ShallowViTCox, study: Study, schedule: Schedule, generator: Generator) -> Trained:
    """Train in place by the Cox loss (Breslow) of each batch, and keep the epoch with the best
    validation concordance, the first of equals. The test subjects are not touched.

    Args:
        model: Freshly built.
        study: With training and validation subjects.
        schedule: How long and how fast.
        generator: Shuffles the training subjects.
    """
    optimizer = torch.optim.Adam(
        model.parameters(), lr=schedule.lr, weight_decay=schedule.weight_decay
    )
    scores = [concordance(model, study.validation)]
    mass = [_mass(model, study.validation)]
    best = deepcopy(model.state_dict())
    for _ in range(schedule.epochs):
        model.train()
        order = torch.randperm(len(study.train), generator=generator)
        for rows in torch.split(order, schedule.batch):
            _step(model, optimizer, study.train.rows(rows))
        scores.append(concordance(model, study.validation))
        mass.append(_mass(model, study.validation))
        if scores[-1] > max(scores[:-1]):
            best = deepcopy(model.state_dict())
    model.load_state_dict(best)
    return Trained(model.eval(), scores.index(max(scores)), tuple(scores), tuple(mass))


@torch.no_grad()
def concordance(model: ShallowViTCox, subjects: Subjects) -> float:
    """Return Harrell's concordance of the model's log hazards.

    Raises:
        DataError: No pair of the subjects can be compared, or the model has diverged.
    """
    model.eval()
    log_hazard = model(subjects.tokens, subjects.kept, subjects.places)
    if not bool(log_hazard.isfinite().all()):
        raise DataError("the model's log hazards are not finite; give a smaller lr")
    return defined(harrell_concordance(log_hazard.double(), subjects.target))


def defined(found: Result) -> float:
    """Return a concordance, which every study has that was checked.

    Raises:
        DataError: It is not defined.
    """
    if isinstance(found, Undefined):
        raise DataError(f"{found.reason}; give more subjects or a smaller censored share")
    return found.value


def _mass(model: ShallowViTCox, subjects: Subjects) -> float:
    importance = token_importance(model, subjects)
    return float(attention_mass(importance, subjects.relevant).mean())


def _step(model: ShallowViTCox, optimizer: torch.optim.Optimizer, subjects: Subjects) -> None:
    log_hazard = model(subjects.tokens, subjects.kept, subjects.places)
    loss = cox_loss(log_hazard, subjects.duration, subjects.observed)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
