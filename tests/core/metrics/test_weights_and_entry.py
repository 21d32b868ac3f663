"""Every public function honours case weights and delayed entry, or refuses them by name.

Honouring a weight: a subject of weight two is two subjects. Honouring delayed entry: a subject
followed from 0 to its duration is two records, censored at a time in between and entered there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.core.metrics.public_functions import (
    FUNCTIONS,
    SUBJECTS,
    H,
    People,
    R,
    people,
)

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.nonparametric import censoring
from survkit.nonparametric.kaplan_meier import kaplan_meier

BY_ENTRY = {name: (call, entry) for name, (call, entry, _) in FUNCTIONS.items()}
BY_WEIGHT = {name: (call, weight) for name, (call, _, weight) in FUNCTIONS.items()}


def test_every_public_function_is_here(
    functions_of_subjects: dict[str, Callable[..., Any]],
) -> None:
    """A new function that looks at subjects has to say what it does with both."""
    assert set(FUNCTIONS) == set(functions_of_subjects)


@pytest.mark.parametrize("name", [name for name, (_, how) in BY_WEIGHT.items() if how == H])
def test_a_subject_of_weight_two_is_two_subjects(name: str) -> None:
    """Values, replicates and bounds; and the weights do matter."""
    call, plain = BY_WEIGHT[name][0], people()
    times = torch.randint(1, 4, (SUBJECTS,), generator=torch.Generator().manual_seed(2))
    weighted = replace(plain, target=replace(plain.target, weight=times.double()))
    repeated = plain.rows(torch.arange(SUBJECTS).repeat_interleave(times))

    found = call(weighted)

    torch.testing.assert_close(found, call(repeated), rtol=1e-7, atol=1e-12)
    assert not torch.equal(found, call(plain))


@pytest.mark.parametrize("name", [name for name, (_, how) in BY_WEIGHT.items() if how == R])
def test_weights_are_refused_by_name(name: str) -> None:
    """Where a weight is not a number of subjects."""
    plain = people()
    weighted = replace(plain, target=replace(plain.target, weight=torch.ones(SUBJECTS)))

    with pytest.raises(DataError, match=r"target\.weight: .{20,}"):
        BY_WEIGHT[name][0](weighted)


def entered() -> tuple[People, People, People]:
    """Some subjects who enter late, the same cut into two records each, and from 0 on."""
    plain = people()
    duration = plain.target.duration
    entry = torch.where(torch.arange(SUBJECTS) % 3 == 0, (duration - 2).clamp(min=0), 0.0)
    late = replace(plain, target=replace(plain.target, entry=entry))
    cut = (entry + duration) / 2
    cut = torch.where(torch.arange(SUBJECTS) % 2 == 0, cut.floor(), cut)
    cut = torch.where(cut > entry, cut, (entry + duration) / 2)
    first = SurvivalTarget(cut, torch.zeros_like(plain.target.event), entry)
    second = SurvivalTarget(duration, plain.target.event, cut)
    pieces = SurvivalTarget(
        *(torch.cat([getattr(one, name) for one in (first, second)]) for name in FIELDS)
    )
    twice = torch.arange(SUBJECTS).repeat(2)
    return late, People(pieces, plain.score[twice], plain.incidence[twice]), plain


FIELDS = ("duration", "event", "entry")


@pytest.mark.parametrize("name", [name for name, (_, how) in BY_ENTRY.items() if how == H])
def test_two_records_of_one_subject_are_one_subject(name: str) -> None:
    """Left truncation is known by this; and entering late does matter."""
    call = BY_ENTRY[name][0]
    late, pieces, plain = entered()

    found = call(late)

    torch.testing.assert_close(found, call(pieces), rtol=1e-9, atol=1e-12)
    assert not torch.equal(found, call(plain))


@pytest.mark.parametrize("name", [name for name, (_, how) in BY_ENTRY.items() if how == R])
def test_entry_is_refused_by_name(name: str) -> None:
    """Where the question is asked from time 0."""
    with pytest.raises(DataError, match=r"(target|training)\.entry: .{20,}"):
        BY_ENTRY[name][0](entered()[0])


def test_censoring_among_those_who_entered() -> None:
    """Without tied events it is Kaplan–Meier's curve of the censorings, with the same entry."""
    generator = torch.Generator().manual_seed(3)
    duration = torch.rand(30, generator=generator).double() + 0.5
    event = torch.randint(0, 2, (30,), generator=generator)
    entry = duration * torch.rand(30, generator=generator).double()
    entry[:5] = 0.0

    found = censoring.censoring_survival(SurvivalTarget(duration, event, entry))

    expected = kaplan_meier(duration, event == 0, entry=entry)
    torch.testing.assert_close(found.at([0.7, 1.2]), expected.at([0.7, 1.2]))
