"""Real cohorts are read as their papers tell them."""

from __future__ import annotations

from typing import Any

import pytest

from survkit.errors import DataError


def test_hancock_has_the_published_numbers(shared_data: Any, small: Any) -> None:
    """497 patients, 139 deaths, blood for 453, the H&E embedding for 494 (README of the cohort)."""
    small.config = {
        "name": "hancock",
        "table": "clinical.csv",
        "subject": "patient_id",
        "outcome": small.config["outcome"] | {"causes": {1: "death"}},
        "modalities": {
            "clinical": {"kind": "table", "columns": ["age_years", "sex", "pT_stage"]},
            "blood": {"kind": "table", "file": "blood.csv"},
            "he": {"kind": "vector", "file": "tma_embedding_he.parquet"},
        },
    }
    cohort = small.read(data_folder=shared_data / "hancock")

    assert (len(cohort), int((cohort.target(range(497)).event > 0).sum())) == (497, 139)
    assert [int(cohort.available(m).sum()) for m in cohort.modalities] == [497, 453, 494]
    assert cohort.input_spec("he", [0]).shape == (512,)
    assert cohort.input_spec("blood", [0]).shape == (16,)


def test_hancock_refuses_unknown_causes_of_death(shared_data: Any, small: Any) -> None:
    """Six patients died of an unknown cause; competing causes cannot be read from them."""
    small.config["table"] = "clinical.csv"
    small.config["outcome"]["event"] = "cr_event"
    small.config["modalities"]["clinical"]["columns"] = ["age_years"]
    with pytest.raises(DataError, match=r"'cr_event': the event is missing .* \(and 5 more"):
        small.read(data_folder=shared_data / "hancock")


def test_lung1_text_columns_become_categories(shared_data: Any, small: Any) -> None:
    """Histology is text and a category, age a number with true missing values; 242 of 274 died."""
    small.config["table"] = "clinical.csv"
    small.config["outcome"]["causes"] = {1: "death"}
    small.config["modalities"] = {
        "clinical": {"kind": "table", "columns": ["age_years", "overall_stage", "histology"]},
        "radiomics": {"kind": "table", "file": "radiomics_wide.csv"},
    }
    cohort = small.read(data_folder=shared_data / "lung1")
    spec = cohort.input_spec("clinical", range(len(cohort)))

    assert int(cohort.target(range(len(cohort))).event.sum()) == 242
    assert spec.columns[0].levels is None
    assert "large cell" in (spec.columns[2].levels or ())
    assert cohort.available("radiomics").sum() == 273


def test_metabric_is_in_months(shared_data: Any, small: Any) -> None:
    """1238 rows, 717 deaths."""
    small.config["table"] = "metabric.csv"
    small.config["outcome"] |= {"duration": "time_months", "unit": "months", "causes": {1: "death"}}
    small.config["modalities"]["clinical"]["columns"] = ["mki67", "egfr", "age_years"]
    cohort = small.read(data_folder=shared_data / "tabular")

    assert (len(cohort), int(cohort.target(range(1238)).event.sum())) == (1238, 717)
    assert cohort.time_unit == "months"
