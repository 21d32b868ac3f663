"""What can be but hardly is: results too good, repeats alike, few events, times too far."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.core.auditing.accusation import MakeStudy, only


def test_a_score_that_is_the_duration_is_found(study: Any) -> None:
    """Also censored subjects are ordered by when they were censored."""
    study.table["risk_score"] = -study.table["duration"] + np.random.default_rng(0).normal(
        0, 9, 300
    )
    study.table = study.table.drop(columns=[c for c in study.table if "@" in c])

    found = study.audit()

    assert {one.rule for one in found.of("error")} == {"follows-duration"}
    assert {one.rule for one in found.of("warning")} == {"too-good"}


def test_probabilities_that_know_the_outcome_are_found(study: Any) -> None:
    """A Brier score that no forecast has."""
    for name in [c for c in study.table if c.startswith("survival@")]:
        alive = study.table["duration"] > float(name.partition("@")[2])
        study.table[name] = np.where(alive, 0.98, 0.02)

    found = only(study.audit(), "too-good", "warning")

    assert "probabilities" in found.message


def test_repeats_of_one_model_are_found(make_study: MakeStudy) -> None:
    """Scores of the second repeat are those of the first."""
    study = make_study(repeats=2)
    first = study.table[study.table["repeat"] == 0].set_index("subject")["risk_score"]
    study.table["risk_score"] = study.table["subject"].map(first)

    found = only(study.audit(), "same-model", "warning")

    assert found.evidence.startswith("300 of 300 subjects have equal scores")


def test_few_events_are_a_warning(make_study: MakeStudy) -> None:
    """Sixty subjects in three folds."""
    found = only(make_study(subjects=60, folds=3).audit(), "few-events", "warning")

    assert "events in 60 subjects" in found.evidence


def test_thin_folds_are_a_warning(make_study: MakeStudy) -> None:
    """Seven subjects per fold, some folds without an event."""
    study = make_study(subjects=350, folds=50)
    study.table.loc[study.table["fold"] == 4, "event"] = 0

    found = study.audit()

    assert {one.rule for one in found.of("warning")} == {"few-events", "thin-folds"}
    assert any("no event" in one.message for one in found.of("warning"))


def test_predictions_beyond_follow_up_are_a_warning(study: Any) -> None:
    """Curves to 5000 days where nobody was followed for 1500."""
    study.table = study.table.rename(columns={"survival@500": "survival@5000"})

    assert "5000" in only(study.audit(), "beyond-follow-up", "warning").message


@pytest.mark.parametrize(("unit", "factor"), [("days", 1 / 365.25), ("years", 1.0)])
def test_a_doubtful_unit_is_a_warning(study: Any, unit: str, factor: float) -> None:
    """Years labelled days, days labelled years."""
    study.table = study.table.drop(columns=[c for c in study.table if "@" in c])
    study.table["duration"] *= factor

    assert unit in only(study.audit(unit=unit), "time-unit", "warning").message
