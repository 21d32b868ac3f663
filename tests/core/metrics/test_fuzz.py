"""Every metric, whatever it is given: a finite Estimate, an Undefined with its reason, or a
DataError that says what is wrong. Never another exception, a NaN, or a 0 for want of knowledge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.metrics.fuzz_cases import (
    BY_CHECKED_TARGET,
    METRICS,
    RANKS,
    STATISTICS,
    Arguments,
    Case,
    cases,
    check,
)

from survkit.errors import DataError
from survkit.metrics import (
    Bootstrap,
    Estimate,
    Undefined,
    bootstrap_replicates,
    jackknife_interval,
    with_interval,
)


def refused_by_name(function: Callable[..., Any], arguments: Arguments) -> Any:
    """Call, where weights or entry are drawn that a metric may refuse by name."""
    given = dict(arguments)
    for _ in range(4):
        try:
            return function(**given)
        except DataError as error:
            owner, _, field = str(error).partition(":")[0].partition(".")
            if field not in ("weight", "entry") or getattr(given.get(owner), field, None) is None:
                raise
            same = given.get("training") is given.get("target")
            given[owner] = replace(given[owner], **{field: None})
            if same:
                given["training"] = given["target"] = given[owner]
    raise AssertionError("refused again and again")


@pytest.mark.parametrize("name", METRICS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_number_or_a_reason(name: str, data: st.DataObject) -> None:
    """Ties, few subjects, all censored, one event, constant predictions: no exception, no NaN."""
    events = data.draw(st.sampled_from(["any", "none", "one"]))
    case = data.draw(cases(events=events, constant=data.draw(st.booleans()), late=True))
    function, arguments = METRICS[name]

    check(refused_by_name(function, arguments(case)))


@pytest.mark.parametrize("name", STATISTICS)
@settings(max_examples=15, deadline=None)
@given(case=cases())
def test_replicates_and_intervals_too(name: str, case: Case) -> None:
    """Resampling gives a finite number or NaN for each replicate of what is defined."""
    function, arguments = STATISTICS[name]
    statistic = function(**arguments(case))

    check(with_interval(statistic, Bootstrap(replicates=8)))
    check(jackknife_interval(statistic))
    if isinstance(statistic.estimate(), Estimate):
        assert not bool(bootstrap_replicates(statistic, Bootstrap(replicates=8)).isinf().any())


@pytest.mark.parametrize("name", RANKS)
@settings(max_examples=25, deadline=None)
@given(case=cases(constant=True))
def test_saying_nothing_is_one_half_or_undefined(name: str, case: Case) -> None:
    """Equal scores for everybody are never worth 0."""
    function, arguments = METRICS[name]
    found = function(**arguments(case))

    for one in found if isinstance(found, tuple) else (found,):
        assert isinstance(one, Undefined) or one.value == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("name", [*RANKS, "calibration index", "d-calibration", "log-rank"])
@settings(max_examples=15, deadline=None)
@given(case=cases(events="none"))
def test_all_censored_is_undefined(name: str, case: Case) -> None:
    """Who saw no event cannot rank, calibrate or test."""
    function, arguments = METRICS[name]
    found = refused_by_name(function, arguments(case))

    for one in found if isinstance(found, tuple) else (found,):
        assert isinstance(one, Undefined)


def test_every_public_function_is_fuzzed(
    functions_of_subjects: Mapping[str, Callable[..., Any]],
) -> None:
    """A new metric or estimator has to be in the tables above."""
    fuzzed = [function for function, _ in [*METRICS.values(), *STATISTICS.values()]]
    names = {getattr(one, "func", one).__name__ for one in fuzzed}

    assert names | BY_CHECKED_TARGET == set(functions_of_subjects)
