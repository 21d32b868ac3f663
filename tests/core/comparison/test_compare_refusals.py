"""Tables and settings that cannot be compared are refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from survkit.comparison.compare import compare
from survkit.errors import ConfigError, DataError
from survkit.evaluation.predictions import Predictions

REFUSED: dict[str, dict[str, Any]] = {
    "splits_hash is feed in the first and dead": {"splits_hash": "dead"},
    "horizon is 600.0 in the first and 500.0": {
        "horizon": 500.0, "time_grid": np.linspace(50, 500, 10)},
    "time_grid is": {"time_grid": np.linspace(30, 600, 10)},
    "causes is": {"causes": ("relapse", "death")},
    "time_unit is days in the first and weeks": {"time_unit": "weeks"},
    "has a column weight and": {"weight": np.ones(180)},
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSED)
def test_tables_that_differ_are_refused_by_name(
    models: dict[str, Predictions], message: str
) -> None:
    """Both models, what differs, and what would cure it."""
    other = replace(models["poor"], **REFUSED[message])
    with pytest.raises(DataError, match=f"good and poor cannot be compared: .*{message}"):
        compare({"good": models["good"], "poor": other})


def test_other_subjects_outcomes_and_folds_are_refused_with_the_subject(
    models: dict[str, Predictions],
) -> None:
    """The first one that differs, and how many do."""
    good, poor = models["good"], models["poor"]
    fewer = poor.select(poor.subject != "s007")
    with pytest.raises(DataError, match=r"subject s007 in repeat 0 is in good but not in poor \(2"):
        compare({"good": good, "poor": fewer})
    once = poor.select(poor.repeat == 0)
    with pytest.raises(DataError, match=r"in repeat 1 is in good but not in poor \(90 such rows"):
        compare({"good": good, "poor": once})
    longer = replace(poor, duration=np.where(poor.subject == "s003", 5.0, poor.duration))
    with pytest.raises(DataError, match=r"duration of subject s003 is .* and 5 in the second \(2"):
        compare({"good": good, "poor": longer})
    moved = replace(poor, fold=np.where(poor.subject == "s004", 0, poor.fold))
    with pytest.raises(DataError, match=r"fold of subject s004 .*survkit cv --splits"):
        compare({"good": good, "poor": moved})


def test_settings_that_make_no_sense_are_refused(models: dict[str, Predictions]) -> None:
    """One line each, with what would do."""
    with pytest.raises(DataError, match="two models at least, not 1"):
        compare({"good": models["good"]})
    with pytest.raises(ConfigError, match=r"is named 'harel'\. Did you mean"):
        compare(models, metric="harel")
    with pytest.raises(ConfigError, match="needs a metric at least"):
        compare(models, metric=[])
    with pytest.raises(ConfigError, match=r"no model is named 'god'\. Did you mean 'good'"):
        compare(models, reference="god")
    with pytest.raises(ConfigError, match=r"no cause is named 'deth'\. Did you mean 'death'"):
        compare(models, cause="deth")
    with pytest.raises(ConfigError, match="name the reference too"):
        compare(models, metric="harrell", margin=0.02)
    with pytest.raises(ConfigError, match="means something else in each metric"):
        compare(models, margin=0.02, reference="good")
    with pytest.raises(ConfigError, match="margin must be a positive number, not -1"):
        compare(models, metric="harrell", margin=-1, reference="good")
    with pytest.raises(ConfigError, match="judged by the paired bootstrap; replicates is 0"):
        compare(models, metric="harrell", margin=0.1, reference="good", replicates=0)
    with pytest.raises(ConfigError, match="exchange must be 'ranks' or 'values', not 'scores'"):
        compare(models, exchange="scores")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="permutations must be >= 1"):
        compare(models, permutations=0)
    with pytest.raises(ConfigError, match="level must lie between 0 and 1"):
        compare(models, level=95)
