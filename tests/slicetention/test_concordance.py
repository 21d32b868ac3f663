"""The paper's concordance: golden numbers, and the published cuts as Python slices make them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from survkit.errors import DataError
from survkit_slicetention.concordance import Mode, monthly_concordance

PROBABILITY = torch.tensor(
    [
        [0.40, 0.25, 0.15, 0.10, 0.10],
        [0.10, 0.30, 0.30, 0.20, 0.10],
        [0.05, 0.10, 0.15, 0.30, 0.40],
        [0.20, 0.20, 0.20, 0.20, 0.20],
    ],
    dtype=torch.float64,
)
MONTH, EVENT = torch.tensor([0, 2, 3, 1]), torch.tensor([1, 1, 0, 1])


def pair_by_pair(
    probability: Tensor, month: Tensor, event: Tensor, mode: Mode, tie: float
) -> float:
    """Return the definition, one pair after the other."""
    right, pairs = 0.0, 0
    for i, first in enumerate(month.tolist()):
        risk = [
            float(row[: first + 1].sum() if mode == "inclusive" else row[: first - 1].sum())
            for row in probability
        ]
        for j, later in enumerate(month.tolist()):
            if event[i] == 1 and first < later:
                pairs += 1
                right += float(risk[i] > risk[j]) + tie * float(risk[i] == risk[j])
    return right / pairs


@pytest.mark.parametrize(("mode", "value"), [("inclusive", 5 / 6), ("ascent", 4 / 6)])
def test_golden_numbers(mode: Mode, value: float) -> None:
    """Of the specification: ties count nothing in the published code."""
    found = monthly_concordance(PROBABILITY, MONTH, EVENT, mode=mode, tie_score=0.0)

    assert found.value == pytest.approx(value, abs=1e-15)
    assert (found.pairs, found.reason) == (6, "")


@pytest.mark.parametrize("mode", ["inclusive", "ascent"])
@pytest.mark.parametrize("tie", [0.0, 0.5])
def test_it_is_the_definition_pair_by_pair(mode: Mode, tie: float) -> None:
    """On random subjects with ties in time and equal rows."""
    generator = torch.Generator().manual_seed(0)
    share = torch.randint(1, 9, (40, 6), generator=generator).double()
    probability = share / 64  # sums of such numbers are exact, so ties are ties
    month = torch.randint(6, (40,), generator=generator)
    event = torch.randint(2, (40,), generator=generator)
    probability[20:] = probability[:20]

    found = monthly_concordance(probability, month, event, mode=mode, tie_score=tie)

    assert found.value == pytest.approx(pair_by_pair(probability, month, event, mode, tie))


def test_without_a_comparable_pair_it_says_why() -> None:
    """And is never 0, -1 or NaN."""
    found = monthly_concordance(PROBABILITY, MONTH, torch.zeros(4, dtype=torch.int64))

    assert found.value is None
    assert "no subject with the event" in found.reason


def test_a_month_without_a_bin_is_refused() -> None:
    """By subject and value."""
    with pytest.raises(DataError, match=r"months are 0\.\.4.*subject 2 has month 5"):
        monthly_concordance(PROBABILITY, torch.tensor([0, 2, 5, 1]), EVENT)
