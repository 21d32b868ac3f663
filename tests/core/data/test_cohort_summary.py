"""Who was analysed, in counts that name nobody."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from survkit.data import make_splits
from survkit.data.cohort import Cohort
from survkit.data.cohort_summary import FEWEST, summarise_cohort, write_cohort_summary
from survkit.errors import DataError
from survkit.nonparametric.kaplan_meier import kaplan_meier

Small = Any


def summary_of(cohort: Cohort) -> dict[str, Any]:
    return summarise_cohort(cohort, make_splits(cohort, folds=2, seed=0))


def column(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["table1"] if one["column"] == name)


def test_counts_add_up(small: Small) -> None:
    """Events, folds, flow and the groups of table 1 each hold every subject once."""
    small.config["site"] = "site"
    found = summary_of(small.read())

    assert found["subjects"] == 24
    assert found["events"] == {"censored": 8, "tumour": 8, "other": 8}
    assert found["flow"] == [{"label": "in the table", "n": 24}, {"label": "analysed", "n": 24}]
    assert found["sites"] == {"A": 6, "B": 6, "C": 6, "D": 6}
    assert found["modalities"]["clinical"]["present"] == 24
    for fold in found["folds"]:
        assert fold["train"] + fold["validation"] + fold["test"] == 24
        assert sum(fold["events"].values()) == 16
    for one in found["table1"]:
        assert one["n"] + one["missing"] == 24
        assert sum(group["n"] for group in one["by_event"].values()) == one["n"]
        assert sum(group["missing"] for group in one["by_event"].values()) == one["missing"]


def test_statistics_are_those_of_the_column(small: Small) -> None:
    """Numbers by mean, deviation and quartiles, categories by counts, both by what happened."""
    age = np.arange(50.0, 74.0)
    small.rows[3]["age"] = ""
    known = np.delete(age, 3)
    found = column(summary_of(small.read()), "age")
    stage = column(summary_of(small.read()), "stage")

    assert found["missing"] == 1
    assert found["mean"] == pytest.approx(known.mean())
    assert found["sd"] == pytest.approx(known.std(ddof=1))
    quartiles = [found["q1"], found["median"], found["q3"]]
    assert quartiles == pytest.approx(np.quantile(known, [0.25, 0.5, 0.75]).tolist())
    assert found["by_event"]["tumour"]["mean"] == pytest.approx(age[1::3].mean())
    assert stage["levels"] == {"I": 8, "II": 8, "III": 8}
    assert stage["by_event"]["censored"]["levels"] == {"I": 8, "II": 0, "III": 0}


def test_nobody_can_be_found_in_it(small: Small) -> None:
    """Rare levels are joined, a column of names too; few values have no statistics."""
    for number, row in enumerate(small.rows):
        row["name"] = f"Person-{number:03d}"
        row["rare"] = "unicorn" if number == 7 else "griffin" if number < 3 else "horse"
        row["known"] = str(number) if number < FEWEST - 1 else ""
    wanted = ["age", "name", "rare", "known"]
    small.config["modalities"]["clinical"]["columns"] = wanted
    found = summary_of(small.read())
    text = json.dumps(found)

    assert "Person" not in text
    assert "unicorn" not in text
    assert "griffin" not in text
    assert column(found, "rare")["levels"] == {"horse": 20, "2 rarer levels": 4}
    assert column(found, "name")["levels"] == {"24 rarer levels": 24}
    assert column(found, "known")["reason"] == "fewer than 5 values"
    assert "mean" not in column(found, "known")
    assert not any(subject in text for subject in ('"000"', '"023"'))


def test_who_is_left_out_is_counted_with_the_reason(small: Small) -> None:
    """The table's rows are the analysed ones and those left out."""
    small.rows[0]["event"] = ""
    small.config["outcome"]["unknown"] = "exclude"
    found = summary_of(small.read())

    assert found["left_out"] == [{"reason": "event missing (outcome.unknown: exclude)", "n": 1}]
    assert [step["n"] for step in found["flow"]] == [24, 1, 23]
    assert found["subjects"] == 23


def test_follow_up_is_the_reverse_estimate(small: Small) -> None:
    """Events censor the follow-up; its median is where the curve of censoring passes one half."""
    cohort = small.read()
    found = summary_of(cohort)["follow_up"]
    target = cohort.target(range(24))
    curve = kaplan_meier(target.duration, target.event == 0)

    assert float(curve.at(torch.tensor([found["median"]]))) <= 0.5
    assert float(curve.before(torch.tensor([found["median"]]))) > 0.5
    assert found["unit"] == "days"


def test_nobody_censored_has_no_median(small: Small) -> None:
    """It is said why."""
    for number, row in enumerate(small.rows):
        row["event"] = str(1 + number % 2)
    found = summary_of(small.read())["follow_up"]

    assert "median" not in found
    assert "too few subjects were censored" in found["reason"]


def test_a_missing_modality_counts_as_missing_values(small: Small) -> None:
    """Subjects without a row in the side table miss its columns."""
    rows = [{"patient_id": f"{k:03d}", "hb": str(10 + k)} for k in range(18)]
    small.config["modalities"]["blood"] = {"kind": "table", "file": "blood.csv"}
    small.write()
    small.write_rows("blood.csv", rows)
    found = summary_of(small.read())

    assert found["modalities"]["blood"] == {
        "present": 18,
        "kind": "table",
        "by_event": {"censored": 6, "tumour": 6, "other": 6},
    }
    assert column(found, "hb")["missing"] == 6


def test_a_cohort_without_outcome_is_refused(small: Small) -> None:
    """There is nothing to tell by what happened."""
    cohort = small.read()
    splits = make_splits(cohort, folds=2, seed=0)
    with pytest.raises(DataError, match="described with its outcome"):
        summarise_cohort(small.read(needs_outcome=False), splits)


def test_it_is_written_as_it_is(small: Small) -> None:
    """JSON of one version."""
    cohort = small.read()
    splits = make_splits(cohort, folds=2, seed=0)
    path = write_cohort_summary(cohort, splits, small.folder)

    assert path.name == "cohort.json"
    assert json.loads(path.read_text()) == summarise_cohort(cohort, splits)
