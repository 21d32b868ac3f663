"""The score that chooses the epoch asks what the report asks."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from survkit.flow import SurvivalTarget
from survkit.heads.cox import CoxHead
from survkit.model import SurvivalModel
from survkit.specs import OutcomeSpec
from survkit.training.validation_score import validation_concordance


class HeadOnly(nn.Module):
    """A model as far as the score looks at it."""

    def __init__(self, outcome: OutcomeSpec) -> None:
        super().__init__()
        self.head = CoxHead(1, outcome)


def test_events_after_the_horizon_start_no_pair() -> None:
    """Subjects 1 and 2 are ordered rightly by the horizon; those who die after it are not."""
    outcome = OutcomeSpec(causes=("death",), horizon=2.5, time_grid=(2.5,))
    duration = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0], dtype=torch.float64)
    target = SurvivalTarget(duration, torch.tensor([1, 1, 1, 1, 1]))
    log_hazard = torch.tensor([[5.0], [4.0], [1.0], [2.0], [3.0]])
    model = cast(SurvivalModel, HeadOnly(outcome))

    assert validation_concordance(model, log_hazard, target, outcome) == 1.0
