"""What docs/faq.md says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import survkit
from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.losses.cox import cox_loss
from survkit.metrics import Estimate, Undefined, brier_score, harrell_concordance
from survkit.protocols import ANY_PARAMETERIZATION
from survkit.specs import OutcomeSpec
from survkit.testing import random_output, random_target

PAGE = (Path(__file__).parents[2] / "docs/faq.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_text_says(capsys: pytest.CaptureFixture[str]) -> None:
    """A constant model has one half, and nothing by the strict definition."""
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    exec(compile(code, "faq.md", "exec"), {})

    assert capsys.readouterr().out == "0.5\n0.0\n"
    assert "It prints 0.5 and 0.0." in PAGE


def test_a_flipped_sign_gives_one_minus_the_concordance() -> None:
    """Without ties."""
    score = torch.tensor([0.3, 0.9, 0.1, 0.5], dtype=torch.float64)
    target = SurvivalTarget(torch.tensor([4.0, 1.0, 3.0, 2.0]), torch.tensor([0, 1, 1, 1]))
    one, other = harrell_concordance(score, target), harrell_concordance(-score, target)

    assert isinstance(one, Estimate)
    assert isinstance(other, Estimate)
    assert one.value + other.value == pytest.approx(1)


def test_a_cox_loss_of_one_patient_is_zero() -> None:
    """So it teaches nothing, whatever the model says."""
    time, observed = torch.tensor([5.0]), torch.tensor([True])

    assert cox_loss(torch.tensor([3.0]), time, observed) == 0


def test_a_time_beyond_the_training_follow_up_is_undefined_with_its_reason() -> None:
    """Not 0, which would be a perfect Brier score."""
    training = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 0, 0]))
    target = SurvivalTarget(torch.tensor([2.0, 9.0, 9.5]), torch.tensor([1, 1, 0]))
    half = torch.full((3, 1), 0.5, dtype=torch.float64)
    (found,) = brier_score(half, [8.0], target, training)

    assert isinstance(found, Undefined)
    assert found.reason


def honours_entry(name: str) -> bool:
    """Return whether the loss of that name gives a number for subjects who came late."""
    outcome = OutcomeSpec(causes=("death",), horizon=3.0, time_grid=(1.0, 2.0, 3.0))
    loss = survkit.create("loss", name, outcome)
    meaning = "pmf" if loss.accepts == (ANY_PARAMETERIZATION,) else loss.accepts[0]
    target = random_target(outcome, optional=("entry",))
    try:
        return bool(loss(random_output(meaning, outcome), target).isfinite())
    except DataError as error:
        if "does not honour entry" not in str(error):
            raise
        return False


def test_the_losses_that_honour_delayed_entry_are_those_of_the_page() -> None:
    """The page lists them; all others of the core refuse it by name."""
    (sentence,) = re.findall(r"^`outcome: .*?honour it", PAGE, flags=re.DOTALL | re.MULTILINE)
    losses = [each.name for each in survkit.list_components("survkit/*", kind="loss")]

    assert set(re.findall(r"`([a-z-]+)`", sentence)) == set(filter(honours_entry, losses))
