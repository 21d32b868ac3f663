"""The score that chooses the epoch asks what the report asks."""

from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import Tensor, nn

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.heads.cox import CoxHead
from survkit.heads.deephit import DeepHitHead
from survkit.model import SurvivalModel
from survkit.specs import OutcomeSpec
from survkit.training.validation_score import (
    horizon_concordance,
    is_better,
    validation_concordance,
)


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


class DeepHitOnly(nn.Module):
    """As above, for a head on intervals."""

    def __init__(self, outcome: OutcomeSpec) -> None:
        super().__init__()
        self.head = DeepHitHead(1, outcome)


def test_curves_that_cross_are_judged_at_the_event() -> None:
    """The subject who dies first has the higher incidence then and the lower one at the horizon,
    so that Antolini's pair is right and Harrell's wrong.
    """
    outcome = OutcomeSpec(causes=("death",), horizon=2.0, time_grid=(1.0, 2.0))
    target = SurvivalTarget(torch.tensor([1.0, 2.0], dtype=torch.float64), torch.tensor([1, 0]))
    logits = torch.tensor([[0.6, 0.001, 0.399], [0.1, 0.8, 0.1]]).log()
    model = cast(SurvivalModel, DeepHitOnly(outcome))

    assert validation_concordance(model, logits, target, outcome) == 0.0
    assert validation_concordance(model, logits, target, outcome, monitor="antolini") == 1.0


def death_and_relapse() -> tuple[OutcomeSpec, SurvivalTarget, Tensor]:
    """Return three subjects of whom death is ordered rightly, and relapse wrongly."""
    outcome = OutcomeSpec(causes=("death", "relapse"), horizon=2.0, time_grid=(1.0, 2.0))
    duration = torch.tensor([1.0, 1.5, 2.0], dtype=torch.float64)
    target = SurvivalTarget(duration, torch.tensor([1, 2, 0]))
    logits = torch.tensor(
        [[0.6, 0.1, 0.05, 0.05, 0.2], [0.1, 0.3, 0.01, 0.01, 0.58], [0.1, 0.1, 0.3, 0.3, 0.2]]
    ).log()
    return outcome, target, logits


def test_several_causes_count_alike_where_they_exist() -> None:
    """The mean over causes with a comparable pair; none at all is refused with what to do."""
    outcome, target, logits = death_and_relapse()
    model = cast(SurvivalModel, DeepHitOnly(outcome))

    found = validation_concordance(model, logits, target, outcome, monitor="antolini")
    assert found == 0.5  # death is ordered rightly, relapse wrongly
    censored = SurvivalTarget(target.duration, torch.zeros(3, dtype=torch.int64))
    with pytest.raises(DataError, match=r"no comparable pair.*set training.monitor to loss"):
        validation_concordance(model, logits, censored, outcome, monitor="antolini")


def test_one_cause_can_be_the_only_one_that_counts() -> None:
    """Death is ordered rightly and relapse wrongly, so that their mean says neither."""
    outcome, target, logits = death_and_relapse()
    prediction = DeepHitHead(1, outcome).predict(logits)

    found = [horizon_concordance(prediction, target, outcome, cause=one) for one in (1, 2, None)]

    assert found == [1.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("monitor", "better"), [("concordance", 0.7), ("antolini", 0.7), ("loss", 0.5)]
)
def test_which_value_is_better(monitor: str, better: float) -> None:
    """Of concordances the higher, of losses the lower; the earlier epoch wins a tie."""
    assert is_better(better, 0.6, monitor)
    assert not is_better(1.2 - better, 0.6, monitor)
    assert not is_better(0.6, 0.6, monitor)
