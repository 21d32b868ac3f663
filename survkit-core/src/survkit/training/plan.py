"""Everything one training needs besides the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from survkit.flow import SurvivalTarget
from survkit.objective import Objective
from survkit.specs import OutcomeSpec
from survkit.training.micro_batches import SubjectStore
from survkit.training.training_corruptions import TrainingCorruption
from survkit.training_config import TrainingConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """Who trains whom, on what, from which seed.

    Attributes:
        config: The recipe's training section.
        objective: What is minimised.
        outcome: Causes and horizon.
        store: Gives inputs and targets.
        train: Positions of the training subjects; nobody else has any influence on the weights.
        train_target: Their outcomes, in the same order.
        validation: Positions of those who choose the epoch; may be empty.
        corruptions: What the training subjects' inputs meet.
        seed: Numbers that together seed everything random, such as (seed, repeat, fold, member).
    """

    config: TrainingConfig
    objective: Objective
    outcome: OutcomeSpec
    store: SubjectStore
    train: Sequence[int]
    train_target: SurvivalTarget
    validation: Sequence[int] = ()
    corruptions: Sequence[TrainingCorruption] = ()
    seed: tuple[int, ...] = (0,)
