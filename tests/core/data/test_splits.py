"""Splits never overlap, cover everybody, are balanced, and cannot be changed unnoticed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from survkit.data.cohort import Cohort
from survkit.data.make_splits import make_splits
from survkit.data.outcome import Outcome
from survkit.data.splits import Splits, check_folds
from survkit.errors import DataError


@pytest.fixture
def cohort(small: Any) -> Cohort:
    small.config["site"] = "site"
    return small.read()


def with_outcome(
    cohort: Cohort, event: list[int], duration: list[float], site: list[str]
) -> Cohort:
    """Return a cohort of as many subjects as events."""
    return replace(
        cohort,
        subjects=tuple(f"s{k}" for k in range(len(event))),
        outcome=Outcome(np.array(duration), np.array(event, dtype=np.int64)),
        site=tuple(site),
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), folds=st.integers(2, 5))
def test_parts_never_overlap_and_everybody_is_tested_once(
    cohort: Cohort, data: Any, seed: int, folds: int
) -> None:
    """Whatever the outcome: disjoint parts, full cover, balance within one of every cause."""
    count = data.draw(st.integers(40, 70))
    event = (
        [1] * 10
        + [2] * 10
        + data.draw(st.lists(st.integers(0, 2), min_size=count - 20, max_size=count - 20))
    )
    duration = data.draw(st.lists(st.integers(1, 9), min_size=count, max_size=count))
    many = with_outcome(cohort, event, duration, ["A"] * count)
    splits = make_splits(many, folds=folds, repeats=2, seed=seed, validation=0.25)

    check_folds(splits.folds, many.subjects, source="test")
    for fold in splits.folds:
        assert not set(fold.train) & set(fold.test)
        assert not set(fold.validation) & (set(fold.train) | set(fold.test))
        assert abs(len(fold.test) - count / folds) < 1
        assert len(fold.validation) == round(0.25 * (count - len(fold.test)))
        for cause in (0, 1, 2):
            share = event.count(cause) / folds
            tested = sum(event[int(name[1:])] == cause for name in fold.test)
            assert abs(tested - share) < 1 + 1e-9


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 1000), sizes=st.lists(st.integers(4, 12), min_size=3, max_size=8))
def test_no_site_is_on_both_sides(cohort: Cohort, seed: int, sizes: list[int]) -> None:
    """Grouped by site, a tested site is in neither training nor validation."""
    site = [f"h{k}" for k, size in enumerate(sizes) for _ in range(size)]
    event = [position % 2 for size in sizes for position in range(size)]
    many = with_outcome(cohort, event, list(range(1, len(site) + 1)), site)
    many = replace(many, config=many.config.model_copy(update={"outcome": one_cause(many)}))
    splits = make_splits(many, folds=3, seed=seed, group_by_site=True)
    home = dict(zip(many.subjects, site, strict=True))

    for fold in splits.folds:
        tested = {home[name] for name in fold.test}
        assert not tested & {home[name] for name in (*fold.train, *fold.validation)}


def one_cause(cohort: Cohort) -> Any:
    return cohort.config.outcome.model_copy(update={"causes": {1: "death"}})


def test_durations_are_spread_alike(cohort: Cohort) -> None:
    """With durations 1..100 each of five folds gets one of every five neighbours."""
    many = with_outcome(cohort, [1] * 50 + [2] * 50, list(range(1, 101)), ["A"] * 100)
    for fold in make_splits(many, folds=5, seed=3).folds:
        runs = sorted((int(name[1:])) // 5 for name in fold.test)

        assert runs == list(range(20))


def test_the_same_seed_gives_the_same_file(cohort: Cohort) -> None:
    """Equal seeds give equal hashes, another seed another, and repeats differ."""
    first = make_splits(cohort, folds=3, repeats=2, seed=5)

    assert first.sha256 == make_splits(cohort, folds=3, repeats=2, seed=5).sha256
    assert first.sha256 != make_splits(cohort, folds=3, repeats=2, seed=6).sha256
    assert [f.test for f in first.folds[:3]] != [f.test for f in first.folds[3:]]


def test_a_file_reads_back_equal(cohort: Cohort, tmp_path: Path) -> None:
    """Writing and reading changes nothing; rows point at the named subjects."""
    splits = make_splits(cohort, folds=3, seed=1)
    splits.write(tmp_path / "splits.json")
    back = Splits.read(tmp_path / "splits.json", subjects=cohort.subjects)

    assert back == splits
    rows = back.rows(back.folds[0], cohort.subjects)
    assert tuple(cohort.subjects[row] for row in rows.test) == splits.folds[0].test


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"folds": 1}, "at least 2 folds and 1 repeat, not 1 and 1"),
        ({"folds": 3, "repeats": 0}, "at least 2 folds and 1 repeat, not 3 and 0"),
        ({"folds": 9}, "8 events of 'tumour' cannot be spread over 9 folds; ask for at most 8"),
        ({"folds": 3, "validation": 1.0}, r"validation share must be in \[0, 1\), not 1"),
        ({"folds": 5, "group_by_site": True}, "4 sites cannot be spread over 5 folds"),
    ],
)
def test_impossible_requests_are_refused_with_numbers(
    cohort: Cohort, request_: dict[str, Any], message: str
) -> None:
    """The message says which numbers stand against the request."""
    with pytest.raises(DataError, match=message):
        make_splits(cohort, **{"seed": 1, **request_})


def test_grouping_needs_a_site(small: Any) -> None:
    """Without a site column there is nothing to group by."""
    with pytest.raises(DataError, match="needs 'site' in the cohort file"):
        make_splits(small.read(), folds=3, seed=1, group_by_site=True)


def test_a_site_without_events_cannot_be_a_fold(cohort: Cohort) -> None:
    """Nothing could be reported on a test part without an event."""
    site = [name for name in "ABC" for _ in range(8)]
    many = with_outcome(cohort, [1, 2] * 8 + [0] * 8, list(range(1, 25)), site)
    with pytest.raises(DataError, match="no event among the 8 test subjects"):
        make_splits(many, folds=3, seed=1, group_by_site=True)


def change_train(content: dict[str, Any]) -> None:
    content["folds"][0]["train"].pop()


def test_a_changed_file_is_noticed(cohort: Cohort, tmp_path: Path) -> None:
    """The file's own hash is verified."""
    path = tmp_path / "splits.json"
    make_splits(cohort, folds=3, seed=1).write(path)
    content = json.loads(path.read_text())
    change_train(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="changed since it was written"):
        Splits.read(path, subjects=cohort.subjects)


def test_parts_that_do_not_fit_the_cohort_are_refused(cohort: Cohort, tmp_path: Path) -> None:
    """Overlaps, strangers, subjects left out, tested twice or never: each has its message."""
    splits = make_splits(cohort, folds=3, seed=1)
    first, *others = splits.folds

    def refused(fold: Any, message: str) -> None:
        Splits("small", {}, (fold, *others)).write(tmp_path / "bad.json")
        with pytest.raises(DataError, match=message):
            Splits.read(tmp_path / "bad.json", subjects=cohort.subjects)

    refused(replace(first, train=(*first.train, first.test[0])), "is in train and in test")
    refused(replace(first, train=(*first.train, "stranger")), "'stranger' in train is not in the")
    refused(replace(first, train=first.train[1:]), r"is in no part \(1 such subjects\)")
    refused(
        replace(first, train=first.train[1:], test=(*first.test, first.train[0])),
        "repeat 0 tests subject .* more than once",
    )
    refused(
        replace(first, train=(*first.train, first.test[0]), test=first.test[1:]),
        r"repeat 0 never tests subject .* \(1 such subjects\)",
    )
    with pytest.raises(DataError, match="subject '000' is not in the cohort"):
        Splits("small", {}, splits.folds).rows(replace(first, train=("000",)), cohort.subjects[1:])


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"format": "other"}', '{"format": "survkit-splits/1"}']
)
def test_other_files_are_not_splits(tmp_path: Path, text: str) -> None:
    """Anything but a splits file is refused in one line."""
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(DataError, match=r"s\.json: not a "):
        Splits.read(tmp_path / "s.json", subjects=["a"])
