"""Groups that cannot be told apart, ranks, and signs of differences, against closed forms."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from survkit.tournaments.not_told_apart import not_told_apart
from survkit.tournaments.ranks import ranks
from survkit.tournaments.track_bar import trainings_done


@pytest.mark.parametrize(
    ("different", "expected"),
    [
        ([], [("a", "b", "c", "d")]),
        ([("a", "d"), ("d", "b")], [("a", "b", "c"), ("c", "d")]),
        ([("a", "c"), ("b", "d")], [("a", "b"), ("a", "d"), ("b", "c"), ("c", "d")]),
        (list(combinations("abcd", 2)), [("a",), ("b",), ("c",), ("d",)]),
    ],
)
def test_groups_by_hand(different: list[tuple[str, str]], expected: list[tuple[str, ...]]) -> None:
    """Worked out with pencil and paper."""
    assert not_told_apart("abcd", different) == expected


def test_groups_are_the_largest_sets_without_a_differing_pair() -> None:
    """Against all subsets, for random graphs of six."""
    names = "abcdef"
    random = np.random.default_rng(0)
    for _ in range(50):
        different = [pair for pair in combinations(names, 2) if random.random() < 0.4]
        fits = [
            set(some)
            for size in range(1, 7)
            for some in combinations(names, size)
            if not any(set(pair) <= set(some) for pair in different)
        ]
        largest = [some for some in fits if not any(some < other for other in fits)]

        found = not_told_apart(names, different)

        assert sorted(found) == sorted(tuple(sorted(some)) for some in largest)


def test_ranks_share_ties_and_skip_undefined_folds() -> None:
    """Mean ranks sum to the sum of the first numbers; a fold without a value ranks nobody."""
    folds = {
        "a": [{"value": 0.7}, {"value": 0.6}, {"reason": "no event"}],
        "b": [{"value": 0.7}, {"value": 0.8}, {"value": 0.5}],
        "c": [{"value": 0.5}, {"value": 0.7}, {"value": 0.5}],
    }

    found, left_out = ranks(folds, best="highest")

    assert left_out == 1
    assert {name: one["ranks"] for name, one in found.items()} == {
        "a": [1.5, 3.0, None],
        "b": [1.5, 1.0, None],
        "c": [3.0, 2.0, None],
    }
    assert {name: one["first"] for name, one in found.items()} == {"a": 1, "b": 2, "c": 0}
    assert ranks(folds, best="lowest")[0]["c"]["ranks"] == [1.0, 2.0, None]


@pytest.mark.parametrize(("inner_folds", "expected"), [(1, (0, 1, 1, 4)), (3, (0, 1, 4, 16))])
def test_the_bar_counts_trainings(
    tmp_path: Path, inner_folds: int, expected: tuple[int, ...]
) -> None:
    """One per fold, and those of a score; a score on the validation part takes none."""
    names, folds = ("a", "b"), ("fold-0", "fold-1")

    def done() -> int:
        return trainings_done(tmp_path, names, folds, inner_folds)

    def write(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    found = [done()]
    write(tmp_path / "a/fold-0/predictions.parquet")
    found.append(done())
    write(tmp_path / "inner/a/fold-0.json")
    found.append(done())
    for name in names:
        for fold in folds:
            write(tmp_path / name / fold / "predictions.parquet")
            write(tmp_path / "inner" / name / f"{fold}.json")
    found.append(done())

    assert tuple(found) == expected
