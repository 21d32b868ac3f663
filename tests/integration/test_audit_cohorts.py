"""Audits of real cohorts and of the examples: leaking columns are found, others are not accused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import survkit
from survkit.auditing import Inputs, audit_inputs
from survkit.cli import main


@pytest.fixture
def hnscc(shared_data: Path, tmp_path: Path) -> dict[str, Path]:
    """The head and neck cohort: predictions from age, and all columns as features."""
    table = pd.read_csv(shared_data / "hnscc-mdacc" / "clinical.csv")
    random = np.random.default_rng(0)
    predictions = pd.DataFrame(
        {
            "subject": table["patient_id"],
            "duration": table["time_months"],
            "event": table["event"],
            "fold": random.integers(0, 5, len(table)),
            "risk_score": table["age_years"] + random.normal(0, 1, len(table)),
        }
    )
    predictions.to_csv(tmp_path / "predictions.csv", index=False)
    renamed = table.rename(columns={"patient_id": "subject", "site": "tumour_site"})
    dropped = renamed.drop(columns=["time_months", "event", "cr_event"])
    dropped.to_csv(tmp_path / "features.csv", index=False)
    return {"predictions": tmp_path / "predictions.csv", "features": tmp_path / "features.csv"}


def test_the_leaking_columns_of_a_real_cohort_are_found(hnscc: dict[str, Path]) -> None:
    """The README of the data names them; their values betray two of them."""
    found = audit_inputs(Inputs(**hnscc, unit="months"))

    known = {one.message for one in found.of("error")}
    names = next(one for one in found.of("warning") if one.rule == "outcome-names")
    assert known == {
        "cause_of_death knows the outcome",
        "disease_free_interval_months knows the outcome",
    }
    assert names.message.startswith("15 columns")
    for column in ("site_of_recurrence", "loco_regional_control_censor", "post_rt_l3"):
        assert column in names.evidence


def test_the_baseline_columns_of_a_real_cohort_are_not_accused(hnscc: dict[str, Path]) -> None:
    """Of what is known at baseline, no column is named; only the few events are."""
    features = pd.read_csv(hnscc["features"])
    told = survkit.audit(**hnscc)
    leaking = " ".join(one.evidence for one in told.findings if one.rule == "outcome-names")
    baseline = ["subject", "sex", "age_years", "tumour_site", "t", "n", "m", "stage", "hpv_status",
                "smoking_history", "current_smoker", "height_cm", "bw_start_tx_kg",
                "bmi_start_treat_kg_m2", "pre_rt_l3_skeletal_muscle_index_cm2_m2"]  # fmt: skip
    features[baseline].to_csv(hnscc["features"], index=False)

    found = survkit.audit(**hnscc)

    assert "cause_of_death" in leaking
    assert {one.rule for one in found.findings} == {"few-events"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "cohort", "data"),
    [
        ("hancock/recipe", "hancock/cohort", "hancock"),
        ("hancock/competing", "hancock/cohort-competing", "hancock"),
        ("lung1/recipe", "lung1/cohort", "lung1"),
        ("metabric/recipe", "metabric/cohort", "tabular"),
    ],
)
def test_the_examples_are_clean(
    shared_data: Path, tmp_path: Path, recipe: str, cohort: str, data: str
) -> None:
    """Real cohorts with few epochs: nothing is found, everything fitted is fitted anew."""
    examples = Path(__file__).resolve().parents[2] / "examples"
    where = ["--cohort", str(examples / f"{cohort}.yaml"), "--data", str(shared_data / data)]
    line = ["cv", str(examples / f"{recipe}.yaml"), *where, "--out", str(tmp_path / "run")]
    short = ["--set", "training.members=1", "--set", "training.epochs=15", "--replicates", "0"]
    assert main([*line, *short, "--quiet"]) == 0

    found = audit_inputs(
        Inputs(
            predictions=tmp_path / "run",
            cohort=examples / f"{cohort}.yaml",
            data_folder=shared_data / data,
        )
    )

    assert found.findings == ()
    assert {"fitted-outside", "replayed-predictions", "outcome-columns"} <= set(found.checked)
