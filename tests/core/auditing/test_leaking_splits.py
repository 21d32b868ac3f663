"""A person, scan or site on both sides of a split is found, and nothing else is accused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from tests.core.auditing.accusation import MakeStudy, only

from survkit.auditing import Audit


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


def test_an_epoch_chosen_on_test_subjects_is_found(study: Any) -> None:
    """Validation and test share eight subjects."""
    fold = study.splits[2]
    study.splits[2] = replace(fold, validation=(*fold.validation, *fold.test[:8]))

    found = only(study.audit(), "validation-is-test")

    assert "(8 of 60 test subjects); 1 of 5 folds" in found.evidence


def audit_again(inputs: Any) -> Audit:
    """Audit files that were changed after they were written."""
    from survkit.auditing import audit_inputs

    return audit_inputs(inputs)
