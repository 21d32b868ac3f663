"""Columns fitted on everybody or that know the outcome are found; honest ones are not accused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.core.auditing.accusation import MakeStudy, only


def test_columns_standardised_over_everybody_are_found(study: Any) -> None:
    """Mean 0 and SD 1 over all subjects, but not over the training part."""
    for name in ("age", "volume"):
        values = study.features[name]
        study.features[name] = ((values - values.mean()) / values.std()).round(6)

    found = only(study.audit(), "scaled-outside")

    assert found.message.startswith("2 columns")
    assert "age" in found.evidence


def test_columns_standardised_over_training_are_not_accused(make_study: MakeStudy) -> None:
    """A held-out test set scaled by the training part is what should be."""
    study = make_study(folds=2)
    fold = study.splits[0]
    study.splits, train = [fold], study.features["subject"].isin(fold.train)
    study.table = study.table[study.table["fold"] == 0]
    for name in ("age", "volume"):
        values = study.features[name]
        study.features[name] = (values - values[train].mean()) / values[train].std()
    training = study.folder / "training.csv"
    study.outcome.to_csv(training, index=False)

    found = study.audit(training=training)

    assert [one for one in found.findings if one.rule == "scaled-outside"] == []
    assert "scaled-outside" in found.checked


def test_columns_scaled_to_a_range_over_everybody_are_found(study: Any) -> None:
    """Three columns run from exactly 0 to exactly 1, and their ends are test subjects'."""
    for name in ("age", "volume", "marker"):
        values = study.features[name] + np.random.default_rng(1).normal(0, 1e-3, 300)
        study.features[name] = (values - values.min()) / (values.max() - values.min())

    assert only(study.audit(), "scaled-outside", "warning").message.startswith("3 columns")


@pytest.mark.parametrize("among", ["events", "everybody"])
def test_time_bins_cut_from_all_subjects_are_found(study: Any, among: str) -> None:
    """Quartiles of everybody's durations, as in MCAT."""
    table = study.table
    source = table[table["event"] == 1] if among == "events" else table
    edges = source["duration"].quantile([0.25, 0.5, 0.75])
    table["label"] = np.searchsorted(edges, table["duration"])

    found = only(study.audit(), "time-bins")

    assert "4 bins" in found.evidence
    assert "5 of 5 folds" in found.evidence


def test_time_bins_of_fixed_edges_are_not_accused(study: Any) -> None:
    """Years are nobody's quantiles."""
    study.table["label"] = np.searchsorted([365, 730, 1095], study.table["duration"])

    assert [one for one in study.audit().findings if one.severity != "note"] == []


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("copy", "rank correlation"),
        ("months", "rank correlation"),
        ("known_if_dead", "filled for those with the event: "),
        ("state", "whether they had the event"),
        ("equal", "equals the duration of"),
        ("order", "concordance of"),
    ],
)
def test_a_column_that_knows_the_outcome_is_found(study: Any, column: str, told: str) -> None:
    """Whatever it is called."""
    features, outcome, random = study.features, study.outcome, np.random.default_rng(5)
    duration, event = outcome["duration"], outcome["event"] == 1
    noise = random.normal(0, 1, len(outcome))
    made = {
        "copy": duration + noise,
        "months": (duration / 30.4).round(),
        "known_if_dead": pd.Series(random.integers(0, 5, len(outcome))).where(event),
        "state": pd.Series(np.where(event, "C3", random.choice(["A1", "A2"], len(outcome)))),
        "equal": duration.where(random.random(len(outcome)) < 0.4, noise),
        "order": -np.where(event, duration, 2000 + 300 * noise) + 5 * noise,
    }
    features["feature7"] = made[column]

    found = only(study.audit(), "outcome-columns")

    assert found.message == "feature7 knows the outcome"
    assert told in found.evidence


def test_a_time_within_the_follow_up_is_a_warning(study: Any) -> None:
    """Time to something that happened before the end of follow-up, such as a recurrence."""
    random = np.random.default_rng(6)
    study.features["m1"] = study.outcome["duration"] * random.uniform(0.3, 1, 300)

    found = only(study.audit(), "outcome-columns", "warning")

    assert "0.0% of its values exceed the subject's duration" in found.evidence


def test_dates_whose_difference_is_the_duration_are_found(study: Any) -> None:
    """Diagnosis and last contact, as text."""
    start = pd.Timestamp("2010-01-01") + pd.to_timedelta(
        np.random.default_rng(2).integers(0, 2000, 300), unit="D"
    )
    end = start + pd.to_timedelta(study.outcome["duration"].round(), unit="D").to_numpy()
    study.features["d1"], study.features["d2"] = (
        start.strftime("%Y-%m-%d"),
        end.strftime("%Y-%m-%d"),
    )

    found = only(study.audit(), "outcome-columns")

    assert found.evidence.startswith("d2 minus d1 is the duration of 100%")


@pytest.mark.parametrize(
    "name",
    ["vital_status", "days_to_death", "Cause of Death", "site_of_recurrence", "post_rt_weight",
     "disease_free_interval_months", "OS", "last_follow_up", "pfs_event"],
)  # fmt: skip
def test_names_of_outcomes_are_warnings(study: Any, name: str) -> None:
    """Even if the values say nothing."""
    study.features[name] = np.random.default_rng(3).normal(size=300)

    assert name in only(study.audit(), "outcome-names", "warning").evidence


@pytest.mark.parametrize(
    "name",
    ["family_history_death", "age_at_diagnosis", "postmenopausal", "primarily_metastasis",
     "osmolality", "previous_recurrence", "radiotherapy", "events_of_stress", "dose"],
)  # fmt: skip
def test_ordinary_names_are_not_accused(study: Any, name: str) -> None:
    """Words that only contain those of an outcome."""
    study.features[name] = np.random.default_rng(3).normal(size=300)

    assert study.audit().findings == ()
