"""The pruning rule, and how a kept set is compared with the relevant one."""

from __future__ import annotations

import math

import pytest
import torch

from survkit.errors import ConfigError
from survkit_radvit.shallow.importance import attention_mass, token_auroc
from survkit_radvit.shallow.kept_tokens import Agreement, agreement, kept_tokens

IMPORTANCE = torch.tensor([[0.4, 0.3, 0.2, 0.1], [0.25, 0.25, 0.25, 0.25]])


@pytest.mark.parametrize(
    ("threshold", "first", "second"),
    [
        (0.0, [True] * 4, [True] * 4),
        (0.5, [True, True, True, False], [True] * 4),
        (1.0, [True, True, False, False], [True] * 4),
        (1.5, [True, False, False, False], [True, False, False, False]),
        (2.0, [True, False, False, False], [True, False, False, False]),
    ],
)
def test_what_gets_c_times_an_even_share_is_kept(
    threshold: float, first: list[bool], second: list[bool]
) -> None:
    """At least c / 4 of the attention; the most important token always."""
    assert kept_tokens(IMPORTANCE, threshold).tolist() == [first, second]
    assert kept_tokens(IMPORTANCE[0], threshold).tolist() == first


@pytest.mark.parametrize("threshold", [-0.1, math.nan, math.inf])
def test_thresholds_without_meaning_are_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match="a pruning threshold must be a number from 0 on"):
        kept_tokens(IMPORTANCE, threshold)


def test_sets_are_compared_by_counting_all_tokens() -> None:
    """Three kept of eight, four relevant, two in both: 2/3, 2/4, 2/5."""
    kept = torch.tensor([[1, 1, 0, 0], [1, 0, 0, 0]]).bool()
    relevant = torch.tensor([[1, 0, 1, 0], [1, 0, 1, 0]]).bool()

    assert agreement(kept, relevant) == Agreement(3 / 8, 2 / 3, 2 / 4, 2 / 5)
    assert agreement(relevant, relevant) == Agreement(4 / 8, 1.0, 1.0, 1.0)


def test_planted_importance_has_the_auroc_of_its_ranks() -> None:
    """1 where relevant tokens lead, 0 where they trail, one half for each tie; counted pair by pair
    within a subject. None is defined where all are relevant.
    """
    importance = torch.tensor(
        [[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [0.25] * 4, [0.4, 0.1, 0.3, 0.2], [0.25] * 4]
    )
    relevant = torch.tensor([[True, True, False, False]] * 4 + [[True] * 4])

    found = token_auroc(importance, relevant)

    assert found[:4].tolist() == [1.0, 0.0, 0.5, 0.5]
    assert math.isnan(float(found[4]))
    torch.testing.assert_close(
        attention_mass(importance, relevant), torch.tensor([0.7, 0.3, 0.5, 0.5, 1.0])
    )
