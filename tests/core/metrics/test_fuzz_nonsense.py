"""No metric takes nonsense: every argument bad in its turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.core.metrics.fuzz_cases import INFINITE, METRICS, NAN, Case, check

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.nonparametric.risk_table import numbers_at_risk

SIZE = 4


GOOD = Case(
    SurvivalTarget(torch.tensor([1.0, 2.0, 3.0, 4.5]), torch.tensor([1, 0, 2, 1])),
    SurvivalTarget(torch.tensor([1.0, 2.0, 3.0, 5.0]), torch.tensor([1, 0, 1, 0])),
    torch.tensor([1.0, 0.0, 2.0, -1.0]),
    torch.tensor([[0.1, 0.2, 0.4]]).double().expand(SIZE, 3),
)


BAD_TARGETS = {
    "nothing": None,
    "a tensor": torch.rand(SIZE),
    "a duration that is NaN": SurvivalTarget(torch.full((SIZE,), NAN), GOOD.target.event),
    "an infinite duration": SurvivalTarget(torch.full((SIZE,), INFINITE), GOOD.target.event),
    "a negative duration": SurvivalTarget(torch.full((SIZE,), -1.0), GOOD.target.event),
    "events that are no codes": SurvivalTarget(GOOD.target.duration, torch.rand(SIZE)),
    "a negative event code": SurvivalTarget(GOOD.target.duration, -GOOD.target.event),
    "a list": SurvivalTarget([1.0, 2.0, 3.0, 4.0], GOOD.target.event),  # type: ignore[arg-type]
    "no subject": SurvivalTarget(torch.zeros(0), torch.zeros(0, dtype=torch.int64)),
    "a weight of zero": replace(GOOD.target, weight=torch.zeros(SIZE)),
    "entry after the duration": replace(GOOD.target, entry=torch.full((SIZE,), 99.0)),
}


BAD_NUMBERS = {
    "nothing": None,
    "a list": [0.1, 0.2, 0.3, 0.4],
    "a word": "high",
    "NaN": torch.full((SIZE, 3), NAN),
    "infinite": torch.full((SIZE, 3), INFINITE),
    "one NaN": torch.tensor([NAN, 0.1, 0.2, 0.3]),
    "one infinite": torch.tensor([INFINITE, 0.1, 0.2, 0.3]),
    "too few": torch.rand(SIZE - 1),
    "too many axes": torch.rand(SIZE, 3, 2),
    "nobody": torch.zeros(0),
}


TENSORS = (
    *("risk_score", "incidence", "survival", "predicted", "column", "group", "duration"),
    *("observed", "event", "log_hazard"),
)


def hostile() -> list[Any]:
    """Every metric with every one of its arguments spoilt in every way."""
    found = []
    for name, (_, arguments) in METRICS.items():
        for argument in arguments(GOOD):
            bad: Mapping[str, Any] = {}
            if argument in ("target", "training"):
                bad = BAD_TARGETS
            elif argument in TENSORS:
                bad = BAD_NUMBERS
            elif argument in ("horizon", "tau"):
                bad = {"zero": 0.0, "negative": -1.0, "NaN": NAN}
            elif argument == "times":
                bad = {"NaN": (1.0, NAN, 3.0), "infinite": (1.0, 2.0, INFINITE), "down": (3, 2, 1)}
            found += [
                pytest.param(name, argument, value, id=f"{name}: {argument} is {word}")
                for word, value in bad.items()
            ]
    return found


@pytest.mark.parametrize(("name", "argument", "bad"), hostile())
def test_nonsense_is_refused(name: str, argument: str, bad: Any) -> None:
    """NaN, infinite, wrong type, wrong shape: a DataError, not a number and not a crash."""
    function, arguments = METRICS[name]

    with pytest.raises(DataError, match=r"\w+ .{10,}"):
        function(**{**arguments(GOOD), argument: bad})


@pytest.mark.parametrize("times", [(1.0, NAN), NAN])
def test_numbers_at_risk_refuse_no_time(times: Any) -> None:
    """Nobody can be at risk at NaN."""
    with pytest.raises(DataError, match="times must not be NaN"):
        numbers_at_risk(GOOD.target, times)


def test_the_good_case_is_good() -> None:
    """What the refusals spoil is accepted as it is."""
    for function, arguments in METRICS.values():
        check(function(**arguments(GOOD)))
