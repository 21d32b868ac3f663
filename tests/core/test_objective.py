from __future__ import annotations

import pytest
import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import ModelOutput, SurvivalTarget, select
from survkit.objective import Objective, Term


class MeanParameter:
    """A loss whose value is easy to know."""

    accepts = ("*",)

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        return output.parameters.mean()


def output_of(subjects: int) -> ModelOutput:
    numbers = torch.arange(float(subjects), dtype=torch.float64)
    return ModelOutput(
        parameters=numbers[:, None],
        parameterization="log-hazard",
        embedding=numbers[:, None],
        penalties={"ct.codebook": numbers + 1, "fusion.align": numbers * 0 + 4},
    )


TARGET = SurvivalTarget(
    duration=torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64), event=torch.tensor([1, 0, 1])
)
OBJECTIVE = Objective(
    terms=(Term("a", 2.0, MeanParameter()), Term("b", 0.5, MeanParameter())),
    penalty_weights={"ct.codebook": 3.0},
)


def test_the_total_is_the_weighted_sum() -> None:
    """2 · 1 + 0.5 · 1 for the losses and 3 · mean(1, 2, 3) for the penalty."""
    assert OBJECTIVE.total(output_of(3), TARGET).item() == pytest.approx(2.5 + 6.0)


def test_one_loss_with_two_settings_counts_twice() -> None:
    """Both terms of a name are part of the total: 2 · 1 + 0.5 · 1, not the last one alone."""
    twice = Objective(terms=(Term("a", 2.0, MeanParameter()), Term("a", 0.5, MeanParameter())))

    assert twice.loss(output_of(3), TARGET).item() == pytest.approx(2.5)
    assert twice.loss_terms(output_of(3), TARGET)["a"].item() == pytest.approx(2.5)


def test_penalty_shares_of_micro_batches_add_up() -> None:
    """Parts of a risk set, each divided by the size of the whole, give the mean over the whole."""
    output = output_of(3)

    parts = [
        OBJECTIVE.penalty(select(output, torch.tensor(rows)), subjects=3) for rows in ([0], [1, 2])
    ]

    torch.testing.assert_close(sum(parts), OBJECTIVE.penalty(output, subjects=3))


def test_a_weighed_penalty_that_nobody_gives_is_refused() -> None:
    """A typo would otherwise train without the term."""
    objective = Objective(terms=OBJECTIVE.terms, penalty_weights={"ct.codebok": 1.0})

    with pytest.raises(DataError, match=r"weighs the penalty ct.codebok, but the model gave"):
        objective.penalty(output_of(3), subjects=3)
