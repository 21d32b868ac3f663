"""One planted fault each: it is found, with its numbers, and nothing else is accused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from survkit.auditing import Audit, Finding
from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics import brier_score, harrell_concordance, uno_concordance

MakeStudy = Callable[..., Any]


def only(found: Audit, rule: str, severity: str = "error") -> Finding:
    """Return the one finding above a note, after asserting that there is no other."""
    grave = [one for one in found.findings if one.severity != "note"]
    assert {(one.rule, one.severity) for one in grave} == {(rule, severity)}, grave
    assert found.clean == (severity != "error")
    return grave[0]


def test_a_subject_in_training_and_test_is_found_with_the_inflation(study: Any) -> None:
    """Twelve test subjects also trained; their scores follow the outcome, the others' do not."""
    fold = study.splits[0]
    leaked = fold.test[:12]
    study.splits[0] = replace(fold, train=(*fold.train, *leaked))
    rows = study.table["subject"].isin(leaked)
    study.table.loc[rows, "risk_score"] = -study.table.loc[rows, "duration"] / 300

    found = only(study.audit(), "subject-overlap")

    assert found.message.startswith("12 subjects")
    assert "(12 of 60 test subjects)" in found.evidence
    assert "0." in found.evidence.partition("as reported and ")[2]


def test_scans_split_as_if_they_were_subjects_are_found(make_study: MakeStudy) -> None:
    """The splits name scans: a subject's first scan trains, its second is tested."""
    study = make_study(series=2)
    scans = study.table.drop_duplicates("series")
    part = np.where(scans["series"].str.endswith("scan0"), "train", "test")
    splits = study.folder / "scans.csv"
    pd.DataFrame({"subject": scans["series"], "part": part}).to_csv(splits, index=False)
    study.table = scans.assign(part=part).drop(columns="fold")

    errors = {one.rule: one for one in study.audit(splits=splits).of("error")}

    assert set(errors) == {"subject-overlap"}
    assert errors["subject-overlap"].message.startswith("300 subjects")


def test_a_subject_predicted_by_two_folds_is_found(study: Any) -> None:
    """Without a splits file, two folds that both test a subject also both trained on it."""
    again = study.table[study.table["fold"] == 0].head(7).assign(fold=1)
    study.table = pd.concat([study.table, again], ignore_index=True)

    errors = {one.rule: one for one in study.audit(splits=None).of("error")}

    assert set(errors) == {"subject-overlap", "repeated-prediction"}
    assert "7 subjects" in errors["repeated-prediction"].message


def test_several_rows_of_a_subject_in_one_fold_are_a_warning(make_study: MakeStudy) -> None:
    """No leakage, but n and precision are larger than they are."""
    found = only(make_study(series=2).audit(), "repeated-prediction", "warning")

    assert "600 rows for 300 subjects, mostly 2 each" in found.evidence


def test_the_same_person_under_two_names_is_found(study: Any) -> None:
    """Equal outcome and features under another name, in another fold."""
    other = {name: f"Q{k}" for k, name in enumerate(study.splits[0].test[:6])}
    copies = study.features[study.features["subject"].isin(other)].replace({"subject": other})
    study.features = pd.concat([study.features, copies], ignore_index=True)
    rows = study.table[study.table["subject"].isin(other)].replace({"subject": other})
    study.table = pd.concat([study.table, rows.assign(fold=1)], ignore_index=True)
    study.splits = [
        replace(one, test=(*one.test, *other.values()))
        if one.fold == 1
        else replace(one, train=(*one.train, *other.values()))
        for one in study.splits
    ]

    found = only(study.audit(), "twin-subjects", "warning")

    assert found.message.startswith("6 pairs")
    assert "are in training and test of a fold" in found.evidence


def test_names_with_a_common_stem_and_equal_outcomes_are_found(study: Any) -> None:
    """P0001_1 and P0001_2 are one person, whatever is measured."""
    twice = [study.table.assign(subject=study.table["subject"] + f"_{k}") for k in (1, 2)]
    twice[1] = twice[1].assign(fold=(twice[1]["fold"] + 1) % 5)
    table = pd.concat(twice, ignore_index=True)
    table["risk_score"] += np.random.default_rng(0).normal(0, 0.01, len(table))
    study.table = table

    found = only(study.audit(splits=None, features=None), "twin-subjects", "warning")

    assert found.message.startswith("300 pairs")


def test_a_site_on_both_sides_of_a_site_split_is_found(make_study: MakeStudy) -> None:
    """Two subjects of a test site were moved to training; the split still says by site."""
    study = make_study(sites=10)
    first, second = study.splits[0], study.splits[1]
    moved = first.test[:2]
    study.splits[0] = replace(first, test=first.test[2:], train=(*first.train, *moved))
    study.splits[1] = replace(
        second,
        test=(*second.test, *moved),
        train=tuple(name for name in second.train if name not in moved),
        validation=tuple(name for name in second.validation if name not in moved),
    )
    study.table.loc[study.table["subject"].isin(moved), "fold"] = 1

    assert "site" in only(study.audit(), "site-overlap").evidence


def test_splits_changed_since_they_were_written_are_found(study: Any) -> None:
    """The hash in the file is that of another content."""
    inputs = study.inputs()
    text = inputs.splits.read_text().replace('"seed": 0', '"seed": 1')
    inputs.splits.write_text(text.replace('"cohort": "study"', '"cohort": "other"'))

    assert "the file itself" in only(audit_again(inputs), "splits-hash").evidence


def test_predictions_by_a_model_that_trained_on_the_subject_are_found(study: Any) -> None:
    """Twenty subjects are predicted by the model of the next fold, which had them in training."""
    chosen = study.table["subject"].isin(study.splits[0].test[:20])
    study.table.loc[chosen, "fold"] = 1

    found = study.audit(splits=study.inputs().splits)

    errors = {one.rule: one for one in found.of("error")}
    assert set(errors) == {"fold-membership"}
    assert errors["fold-membership"].message.startswith("20 predictions")


def test_test_subjects_who_were_dropped_are_found(study: Any) -> None:
    """Fifteen test subjects have no prediction."""
    dropped = [name for fold in study.splits for name in fold.test[:3]]
    study.table = study.table[~study.table["subject"].isin(dropped)]

    found = only(study.audit(), "fold-membership", "warning")

    assert found.message == "15 test subjects have no prediction"


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


def test_an_epoch_chosen_on_test_subjects_is_found(study: Any) -> None:
    """Validation and test share eight subjects."""
    fold = study.splits[2]
    study.splits[2] = replace(fold, validation=(*fold.validation, *fold.test[:8]))

    found = only(study.audit(), "validation-is-test")

    assert "(8 of 60 test subjects); 1 of 5 folds" in found.evidence


def harrell(table: pd.DataFrame) -> float:
    score = torch.from_numpy(table["risk_score"].to_numpy())
    return harrell_concordance(score, target(table)).value  # type: ignore[union-attr]


def target(table: pd.DataFrame) -> SurvivalTarget:
    return SurvivalTarget(
        torch.from_numpy(table["duration"].to_numpy()), torch.from_numpy(table["event"].to_numpy())
    )


def test_the_best_fold_instead_of_the_mean_is_found(study: Any) -> None:
    """The folds' own values are computed from the table."""
    study.metrics = {"c_index": round(max(harrell(f) for _, f in study.table.groupby("fold")), 4)}

    found = only(study.audit(), "best-of-many")

    assert "best of 5 folds" in found.message


@pytest.mark.parametrize("dimension", ["seed", "epoch", "fold"])
def test_the_best_of_reported_values_is_found(study: Any, dimension: str) -> None:
    """Three reported values and a headline that is their largest."""
    study.metrics = {"auc_concordance": {"value": 0.74, f"{dimension}s": [0.66, 0.74, 0.69, 0.68]}}
    found = study.audit()

    errors = {one.rule: one for one in found.of("error")}
    assert set(errors) == {"best-of-many"}
    assert "best 0.7400, mean 0.6925" in errors["best-of-many"].evidence


def test_the_mean_of_folds_is_not_accused(study: Any) -> None:
    """Nor is the pooled value, nor a best that is also the last epoch."""
    values = [round(harrell(fold), 3) for _, fold in study.table.groupby("fold")]
    study.metrics = {"harrell": {"value": round(float(np.mean(values)), 3), "folds": values}}
    first = study.audit()
    study.metrics = {"antolini": {"value": 0.7, "epochs": [0.6, 0.65, 0.7]}}

    assert (first.findings, study.audit().findings) == ((), ())


def test_a_reversed_score_is_found(study: Any) -> None:
    """Higher scores live longer."""
    study.table["risk_score"] *= -1
    study.table = study.table.drop(columns=[c for c in study.table if "@" in c])

    found = only(study.audit(), "flipped-sign")

    assert "standard errors below chance" in found.evidence


def test_a_score_against_its_own_curves_is_found(study: Any) -> None:
    """The score is turned, the curves are not: both are said."""
    study.table["risk_score"] *= -1

    errors = {one.rule for one in study.audit().of("error")}

    assert errors == {"flipped-sign", "score-against-curves"}


@pytest.mark.parametrize("curves", [True, False])
def test_a_direction_chosen_by_fold_is_found(make_study: MakeStudy, curves: bool) -> None:
    """Two of three folds are turned, with or without curves to show it."""
    study = make_study(folds=3, subjects=600)
    study.table.loc[study.table["fold"] == 1, "risk_score"] *= -1
    if not curves:
        study.table = study.table.drop(columns=[c for c in study.table if "@" in c])

    found = only(study.audit(), "mixed-orientation")

    assert ("its own curves" in found.message) == curves


def test_a_direction_chosen_by_repeat_is_found(make_study: MakeStudy) -> None:
    """Useless scores, so that the outcome does not tell, turned in the second repeat.

    The seed of the noise is not the study's: it would repeat the draws that made the ages.
    """
    study = make_study(repeats=2)
    noise = dict(zip(study.names, np.random.default_rng(4).normal(size=300), strict=True))
    study.table["risk_score"] = study.table["subject"].map(noise)
    study.table.loc[study.table["repeat"] == 1, "risk_score"] *= -0.9
    study.table = study.table.drop(columns=[c for c in study.table if "@" in c])

    assert "two repeats -1.00" in only(study.audit(), "mixed-orientation").evidence


def reported(study: Any, metric: str, weighting: str) -> float:
    """Compute a metric of every fold with right or wrong weights, and average."""
    values = []
    for fold in study.splits:
        test = study.table[study.table["subject"].isin(fold.test)]
        rest = study.table[study.table["subject"].isin(fold.train)]
        trained = target(test if weighting == "test" else rest)
        if weighting == "events":
            trained = replace(trained, event=1 - trained.event)
        if metric == "uno":
            score = torch.from_numpy(test["risk_score"].to_numpy())
            values.append(uno_concordance(score, target(test), trained, tau=500.0).value)
        else:
            survival = torch.from_numpy(test[["survival@300"]].to_numpy().copy())
            values.append(brier_score(survival, [300.0], target(test), trained)[0].value)
    return float(np.mean(values))


@pytest.mark.parametrize("metric", ["uno", "brier@300"])
@pytest.mark.parametrize(
    ("weighting", "severity"), [("events", "error"), ("test", "warning"), ("training", None)]
)
def test_wrong_weights_for_censoring_are_found(
    study: Any, metric: str, weighting: str, severity: str | None
) -> None:
    """Censoring fitted to events (Sybil) or on the test part; the right way is not accused."""
    study.metrics = {metric: round(reported(study, metric.partition("@")[0], weighting), 6)}
    found = study.audit()

    if severity is None:
        assert found.findings == ()
    else:
        only(found, "wrong-ipcw", severity)
    assert "wrong-ipcw" in found.checked


def test_one_minus_the_concordance_is_found(study: Any) -> None:
    """The reported value belongs to the turned score."""
    study.metrics = {"cindex": round(1 - harrell(study.table), 5)}

    assert "reversed risk score" in only(study.audit(), "reported-numbers").message


def test_zero_for_an_undefined_metric_is_found(study: Any) -> None:
    """A perfect Brier score, and a concordance that the table contradicts."""
    study.metrics = {"ibs": 0.0, "c_index": {"value": round(harrell(study.table), 5)}}
    first = only(study.audit(), "undefined-as-number")
    study.metrics = {"c_index": {"value": round(harrell(study.table), 5), "folds": [0.5, 0.68]}}
    second = only(study.audit(), "undefined-as-number")

    assert "perfect forecast" in first.evidence
    assert second.message.endswith("exactly 0.5 (fold 0)")


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


def test_a_reported_number_that_is_none_is_refused(study: Any) -> None:
    """The file is named with the row, the metric and what stands there."""
    metrics = study.folder / "reported.csv"
    metrics.write_text("metric,value\nuno,0.7\nharrell,abc\n")

    with pytest.raises(DataError, match="row 3: a reported number is expected for 'harrell', not"):
        study.audit(metrics=metrics)


def test_two_outcomes_of_one_subject_are_found(make_study: MakeStudy) -> None:
    """The repeats say different things about the same person."""
    study = make_study(repeats=2)
    rows = study.table.index[study.table["subject"] == "P0004"]
    study.table.loc[rows[0], "duration"] += 100

    assert "P0004" in only(study.audit(), "impossible-outcome").evidence


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


def audit_again(inputs: Any) -> Audit:
    """Audit files that were changed after they were written."""
    from survkit.auditing import audit_inputs

    return audit_inputs(inputs)


def test_the_files_are_where_the_study_says(study: Any) -> None:
    """What the tests bend is what is read."""
    inputs = study.inputs()

    assert isinstance(inputs.predictions, Path)
    assert pd.read_csv(inputs.predictions).shape[0] == 300
