"""Predictions and outcomes that cannot be are found, with their row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.core.auditing.accusation import MakeStudy, only


def test_constant_predictions_are_found(study: Any) -> None:
    """One fold says the same of everybody."""
    study.table.loc[study.table["fold"] == 3, "risk_score"] = 0.25

    assert "fold 3: 0.25" in only(study.audit(), "constant-predictions", "warning").evidence


def test_missing_scores_are_found(study: Any) -> None:
    """Four subjects have no score; a metric would drop them."""
    study.table.loc[study.table.index[:4], "risk_score"] = np.nan

    assert only(study.audit(), "constant-predictions").message.startswith("4 rows")


def test_survival_that_rises_is_found(study: Any) -> None:
    """One subject's curve goes up between two times."""
    study.table.loc[7, "survival@400"] = 0.99

    found = only(study.audit(), "impossible-curves")

    assert found.message == "survival rises with time in 1 of 300 rows"
    assert "from 300 to 400" in found.evidence


def test_probabilities_beyond_one_are_found(make_study: MakeStudy) -> None:
    """Incidences of two causes that are each 1 - S of their own sum to more than one."""
    study = make_study(causes=2)
    for name in [c for c in study.table if "cause1@" in c]:
        study.table[name] = 0.9 + 0.0001 * study.table["risk_score.cause1"] + float(name[-3:]) / 1e5
    for name in [c for c in study.table if "cause2@" in c]:
        study.table[name] = 0.3 + 0.0001 * study.table["risk_score.cause2"] + float(name[-3:]) / 1e5

    assert (
        "sum to more than 1 in 300 of 300 rows" in only(study.audit(), "impossible-curves").message
    )


def test_survival_and_incidence_that_disagree_are_found(study: Any) -> None:
    """S and F of one cause do not sum to one."""
    for name in [c for c in study.table if c.startswith("survival@")]:
        incidence = f"cumulative_incidence@{name.partition('@')[2]}"
        study.table[incidence] = (1 - study.table[name]) * 0.9

    assert "do not sum to 1" in only(study.audit(), "impossible-curves").message


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("duration", 0.0, "duration of 0 or less"),
        ("duration", np.nan, "no duration"),
        ("event", 0.5, "no whole number"),
        ("event", np.nan, "no event code"),
        ("event", 2, "event code beyond the 1 causes that are predicted"),
        ("subject", None, "no name"),
    ],
)
def test_impossible_outcomes_are_found(study: Any, column: str, value: Any, told: str) -> None:
    """An audit looks at tables that an evaluation refuses."""
    study.table[column] = study.table[column].astype(object)
    study.table.loc[11, column] = value

    errors = {one.rule: one for one in study.audit().of("error")}

    assert set(errors) == {"impossible-outcome"}
    assert told in errors["impossible-outcome"].message
    assert "data rows 12 of 300" in errors["impossible-outcome"].evidence


def test_subjects_who_enter_after_their_duration_are_found(study: Any) -> None:
    """The rest of the table is audited all the same."""
    study.table["entry"] = 0.0
    study.table.loc[11, "entry"] = study.table.loc[11, "duration"]

    errors = {one.rule: one for one in study.audit().of("error")}

    assert set(errors) == {"impossible-outcome"}
    assert "enters at or after its duration" in errors["impossible-outcome"].message


def test_two_outcomes_of_one_subject_are_found(make_study: MakeStudy) -> None:
    """The repeats say different things about the same person."""
    study = make_study(repeats=2)
    rows = study.table.index[study.table["subject"] == "P0004"]
    study.table.loc[rows[0], "duration"] += 100

    assert "P0004" in only(study.audit(), "impossible-outcome").evidence
