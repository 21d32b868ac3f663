"""Whom to show is decided by a rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from survkit.explaining.choose_subjects import RULE, Ranked, choose, discordant_surplus


def ranked(risk: list[float], **others: list[float]) -> Ranked:
    names = tuple("abcdefghij"[: len(risk)])
    types: dict[str, Any] = {"event": np.int64, "strata": np.int64, "fold": np.int64}
    arrays: dict[str, Any] = {
        name: np.array(values, dtype=types.get(name, np.float64)) for name, values in others.items()
    }
    arrays.setdefault("fold", np.zeros(len(risk), dtype=np.int64))
    return Ranked(subject=names, risk=np.array(risk, dtype=np.float64), **arrays)


def by_hand(given: Ranked) -> list[int]:
    """Return the surplus from the definition, pair by pair."""
    assert given.duration is not None
    assert given.event is not None
    found = [0] * len(given.subject)
    for i in range(len(found)):
        for j in range(len(found)):
            if i == j or given.event[i] != 1 or given.fold[i] != given.fold[j]:
                continue
            later = given.duration[j] > given.duration[i] or (
                given.duration[j] == given.duration[i] and given.event[j] != 1
            )
            if given.entry is not None and not given.entry[j] < given.duration[i]:
                continue
            if given.strata is not None and given.strata[i] != given.strata[j]:
                continue
            if later:
                sign = int(np.sign(given.risk[j] - given.risk[i]))
                found[i] += sign
                found[j] += sign
    return found


def test_the_surplus_is_that_of_all_pairs() -> None:
    """With ties, competing causes, folds, delayed entry and strata."""
    random = np.random.default_rng(0)
    for _ in range(20):
        n = 10
        given = ranked(
            random.integers(0, 4, n).tolist(),
            duration=random.integers(2, 6, n).tolist(),
            event=random.integers(0, 3, n).tolist(),
            fold=random.integers(0, 2, n).tolist(),
            entry=random.integers(0, 4, n).tolist(),
            strata=random.integers(0, 2, n).tolist(),
        )
        assert discordant_surplus(given).tolist() == by_hand(given)


def test_four_subjects_by_the_rule() -> None:
    """Highest, median, lowest, and who is ranked worst among the others."""
    given = ranked(
        [0.9, 0.8, 0.5, 0.3, 0.2, 0.1],
        duration=[1, 9, 5, 2, 8, 10],
        event=[1, 0, 1, 1, 0, 0],
    )

    assert choose(given, 4) == [
        ("a", "highest predicted risk"),
        ("d", "median predicted risk"),
        ("f", "lowest predicted risk"),
        ("b", "worst misranked"),
    ]
    assert choose(given, 2) == choose(given, 4)[:2]
    assert "highest, median and lowest" in RULE


def test_nobody_is_misranked_by_a_perfect_model() -> None:
    """Then the next highest and lowest are shown; nobody is called misranked."""
    given = ranked([0.9, 0.7, 0.5, 0.3, 0.1], duration=[1, 2, 3, 4, 5], event=[1, 1, 1, 1, 1])

    assert choose(given, 5)[3:] == [("b", "high predicted risk"), ("d", "low predicted risk")]


def test_more_are_wanted_than_there_are() -> None:
    """Everybody is shown, once."""
    given = ranked([0.2, 0.9])

    assert [name for name, _ in choose(given, 9)] == ["b", "a"]


@pytest.mark.parametrize("count", [1, 3, 7, 10])
def test_so_many_as_asked_and_none_twice(count: int) -> None:
    """Whatever the number."""
    random = np.random.default_rng(count)
    given = ranked(
        random.uniform(size=10).tolist(),
        duration=random.uniform(1, 9, 10).tolist(),
        event=random.integers(0, 2, 10).tolist(),
    )
    names = [name for name, _ in choose(given, count)]

    assert len(names) == len(set(names)) == count
