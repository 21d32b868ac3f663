"""Which tokens a rule keeps."""

from __future__ import annotations

import pytest
import torch

from survkit.errors import ConfigError
from survkit.pruning.choice import Choice

IMPORTANCE = torch.tensor([0.10, 0.40, 0.05, 0.25, 0.20])


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        (Choice("threshold", 0.0), [1, 1, 1, 1, 1]),
        (Choice("threshold", 0.5), [1, 1, 0, 1, 1]),
        (Choice("threshold", 1.0), [0, 1, 0, 1, 1]),
        (Choice("threshold", 1.2), [0, 1, 0, 1, 0]),
        (Choice("threshold", 4.0), [0, 1, 0, 0, 0]),
        (Choice("keep", 0.4), [0, 1, 0, 1, 0]),
        (Choice("keep", 1.0), [1, 1, 1, 1, 1]),
        (Choice("keep", 0.01), [0, 1, 0, 0, 0]),
    ],
)
def test_a_rule_keeps_what_it_says(choice: Choice, kept: list[int]) -> None:
    """Of 5 tokens those with at least c/5, the highest always; or so many of the highest."""
    assert choice.kept(IMPORTANCE).int().tolist() == kept


def test_every_row_is_chosen_by_itself() -> None:
    """A choice per subject is that of the subject alone."""
    rows = torch.rand(7, 9, generator=torch.Generator().manual_seed(0))
    rows = rows / rows.sum(dim=1, keepdim=True)

    for choice in (Choice("threshold", 1.0), Choice("keep", 0.33)):
        together = choice.kept(rows)
        assert torch.equal(together, torch.stack([choice.kept(row) for row in rows]))


def test_a_uniform_map_is_not_pruned_at_one() -> None:
    """Rounding of 1/P does not decide; of equal tokens a share takes the first."""
    uniform = torch.full((3,), 1 / 3) * (1 - 1e-7)

    assert bool(Choice("threshold", 1.0).kept(uniform).all())
    assert Choice("keep", 0.67).kept(uniform).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("rule", "value", "said"),
    [
        ("threshold", -1.0, "at least 0, not -1"),
        ("threshold", float("nan"), "at least 0, not nan"),
        ("keep", 0.0, "more than 0 and at most 1, not 0"),
        ("keep", 1.5, "more than 0 and at most 1, not 1.5"),
    ],
)
def test_values_out_of_range_are_refused(rule: str, value: float, said: str) -> None:
    """With the unit of the value."""
    with pytest.raises(ConfigError, match=said):
        Choice(rule, value)  # type: ignore[arg-type]
