"""CT and PET collections of TCIA: columns, regions, one study, one frame, one grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tests.core.dicom.mask_writer import blank_image, write_segmentation
from tests.core.dicom.writer import random_volume, uid, write_series
from tests.core.ingest.archive import (
    ORIGIN,
    SHAPE,
    SPACING,
    rows_of,
    rules_of,
    write_patient,
    write_table,
)

from survkit.data.check import check_cohort
from survkit.data.cohort import Cohort
from survkit.errors import ConfigError, DataError
from survkit.ingest import (
    Ingested,
    IngestSettings,
    OutcomeRequest,
    apply_layout,
    ingest,
    read_clinical_table,
)
from survkit.ingest.layouts import usual_subjects
from survkit.ingest.nsclc_radiogenomics import nsclc_radiogenomics_plan

HN1, NSCLC = "tcia-hn1", "tcia-nsclc-radiogenomics"
CT_BOX = {
    "kind": "volume", "path": "ct_path", "mask": "ct_gtv_1", "window": [-250, 250],
    "spacing": [1, 1, 1], "size": [128, 128, 128], "crop": "mask",
}  # fmt: skip
PET_SHARED = {
    "kind": "volume", "path": "pet_path", "window": [0, "p99.9"], "grid": "ct", "alone": "peak",
}  # fmt: skip

DEAD = {"Survival Status": "Dead", "Date of Death": "04/30/91"}


def run(layout: str, root: Path, table: Path, out: Path, **rules: Any) -> Ingested:
    """Ingest with a layout and nothing else said."""
    clinical = read_clinical_table(table, usual=usual_subjects(layout))
    plan, settings = apply_layout(layout, clinical, OutcomeRequest(), IngestSettings(**rules))
    return ingest(root, clinical, out, cohort=plan, settings=settings)


def hn1_row(patient: str, k: int = 0) -> dict[str, str]:
    """Return a row with the columns of the published table."""
    return {
        "id": patient, "index_tumour_location": "larynx", "age_at_diagnosis": "60",
        "biological_sex": "male", "performance_status_ecog": "1", "overall_hpv_p16_status": "",
        "clin_t": "4", "clin_n": "2", "clin_m": "0", "ajcc_stage": "iva",
        "pretreat_hb_in_mmolperlitre": "7.1", "chemotherapy_given": "none",
        "event_overall_survival": f"{1 - k % 2}", "overall_survival_in_days": f"{100 + k}",
    }  # fmt: skip


def nsclc_row(patient: str, **cells: str) -> dict[str, str]:
    """Return a row with the columns of the published table; note the blank after Histology."""
    return {
        "Case ID": patient, "Patient affiliation": "Stanford",
        "Age at Histological Diagnosis": "70", "Gender": "Male", "Smoking status": "Former",
        "Histology ": "Adenocarcinoma", "Pathological T stage": "T1a",
        "Pathological N stage": "Not Collected", "Pathological M stage": "M0",
        "Survival Status": "Alive", "CT Date": "4/24/1991", "Date of Death": "",
        "Date of Last Known Alive": "4/23/1993", **cells,
    }  # fmt: skip


def cohort_file(out: Path) -> Any:
    """Return the content of the written cohort file."""
    return yaml.safe_load((out / "cohort.yaml").read_text())


def errors(out: Path) -> list[str]:
    """Return all that is wrong with the written cohort."""
    return [p.message for p in check_cohort(out / "cohort.yaml") if p.severity == "error"]


def test_hn1_as_published(tmp_path: Path) -> None:
    """CT and PET on one grid round GTV-1; a patient without PET is an ordinary missing modality."""
    root = tmp_path / "tcia"
    for k, patient in enumerate(("HN1004", "HN1006")):
        write_patient(root / patient, patient, seed=k, pet=k == 0, region="GTV-1")
    table = write_table(tmp_path / "t.csv", [hn1_row("HN1004"), hn1_row("HN1006", 1)])
    found = run(HN1, root, table, tmp_path / "cohort")

    assert found.subjects == ("HN1004", "HN1006")
    assert found.files == {"ct_path": 2, "ct_gtv_1": 2, "pet_path": 1}
    content = cohort_file(tmp_path / "cohort")
    assert content["outcome"] == {
        "duration": "overall_survival_in_days", "unit": "days", "event": "event_overall_survival",
        "causes": {1: "death"},
    }  # fmt: skip
    assert content["modalities"]["ct"] == CT_BOX
    assert content["modalities"]["pet"] == PET_SHARED
    assert "chemotherapy_given" not in content["modalities"]["clinical"]["columns"]
    assert errors(tmp_path / "cohort") == []
    cohort = Cohort.read(tmp_path / "cohort" / "cohort.yaml")
    specs = {name: cohort.input_spec(name, [0]) for name in ("ct", "pet")}
    assert specs["ct"] == specs["pet"]
    assert specs["ct"].shape == (1, 128, 128, 128)


def test_a_pet_without_suv_leaves_the_ct(tmp_path: Path) -> None:
    """The missing tag stands in refused.csv; the subject stays, with an empty cell."""
    root = tmp_path / "tcia"
    for patient in ("HN1004", "HN1006"):
        write_patient(root / patient, patient, region="GTV-1")
    for patient, tags in (("HN1004", {}), ("HN1006", {"PatientWeight": None})):
        study = _identifiers(root / patient)
        write_series(
            root / patient / "pet", random_volume(SHAPE) + 1000, modality="PT", intercept=0.0,
            patient_id=patient, spacing=SPACING, tags=tags, **study,
        )  # fmt: skip
    table = write_table(tmp_path / "t.csv", [hn1_row("HN1004"), hn1_row("HN1006", 1)])
    run(HN1, root, table, tmp_path / "cohort")

    assert ("HN1006", "suv") in rules_of(tmp_path / "cohort")
    rows = {row["id"]: row for row in rows_of(tmp_path / "cohort" / "table.csv")}
    assert [bool(rows[name]["pet_path"]) for name in ("HN1004", "HN1006")] == [True, False]
    assert errors(tmp_path / "cohort") == []


def _identifiers(folder: Path) -> dict[str, str]:
    """Return study and frame of reference of a patient's CT."""
    from pydicom import dcmread

    data = dcmread(next((folder / "ct").iterdir()), stop_before_pixels=True)
    return {"study_uid": data.StudyInstanceUID, "frame_uid": data.FrameOfReferenceUID}


def test_a_pet_in_another_frame_of_reference_is_refused(tmp_path: Path) -> None:
    """Its coordinates are not the CT's, though the study is the same."""
    root = tmp_path / "tcia"
    write_patient(root / "HN1004", "HN1004", region="GTV-1")
    other = _identifiers(root / "HN1004") | {"frame_uid": uid()}
    write_series(
        root / "HN1004" / "pet", random_volume(SHAPE) + 1000, modality="PT", intercept=0.0,
        patient_id="HN1004", spacing=SPACING, **other,
    )  # fmt: skip
    table = write_table(tmp_path / "t.csv", [hn1_row("HN1004")])
    run(HN1, root, table, tmp_path / "cohort")

    assert rules_of(tmp_path / "cohort") == [("HN1004", "other-frame")]
    assert list(cohort_file(tmp_path / "cohort")["modalities"]) == ["ct", "clinical"]


def test_the_study_with_both_is_taken(tmp_path: Path) -> None:
    """A CT alone and a PET/CT: the PET/CT. Two PET/CT are refused until a rule is given."""
    root = tmp_path / "tcia"
    write_patient(root / "HN1004" / "a", "HN1004", seed=1, region="GTV-1")
    write_patient(root / "HN1004" / "b", "HN1004", seed=2, pet=True, region="GTV-1")
    table = write_table(tmp_path / "t.csv", [hn1_row("HN1004")])
    found = run(HN1, root, table, tmp_path / "cohort")
    assert found.files == {"ct_path": 1, "ct_gtv_1": 1, "pet_path": 1}

    write_patient(root / "HN1004" / "c", "HN1004", seed=3, pet=True, region="GTV-1")
    with pytest.raises(DataError, match=r"2 studies of the patient hold CT and PT; choose by"):
        run(HN1, root, table, tmp_path / "second")


def test_hn1_with_the_real_clinical_table(shared_data: Path, tmp_path: Path) -> None:
    """85 patients, 46 deaths; HN1004 died after 3193 days."""
    write_patient(tmp_path / "tcia" / "HN1004", "HN1004", pet=True, region="GTV-1")
    found = run(HN1, tmp_path / "tcia", shared_data / "hn1" / "clinical.csv", tmp_path / "cohort")

    assert found.rows == 85
    cohort = Cohort.read(tmp_path / "cohort" / "cohort.yaml")
    assert cohort.outcome is not None
    assert (cohort.outcome.duration.tolist(), cohort.outcome.event.tolist()) == ([3193.0], [1])
    assert errors(tmp_path / "cohort") == []


def write_nsclc(root: Path, patient: str, *, pet: bool, segment: str | None = None) -> None:
    """Write a patient's CT, a PET and a SEG."""
    write_patient(root / patient, patient, pet=pet)
    if segment is not None:
        from pydicom import dcmread

        data = dcmread(next((root / patient / "ct").iterdir()), stop_before_pixels=True)
        mask = np.zeros(SHAPE, bool)
        mask[1:4, 3:9, 3:9] = True
        write_segmentation(
            root / patient / "seg.dcm",
            blank_image(SHAPE, SPACING, ORIGIN),
            {segment: mask},
            patient_id=patient,
            series_uid=data.SeriesInstanceUID,
            frame_uid=data.FrameOfReferenceUID,
            study_uid=data.StudyInstanceUID,
        )


def test_radiogenomics_as_published(tmp_path: Path) -> None:
    """Days are counted from the CT; codes of missing values are declared; the SEG is the mask."""
    root = tmp_path / "tcia"
    for patient in ("R01-001", "AMC-002", "R01-003"):
        write_nsclc(root, patient, pet=True, segment="Tumor")
    rows = [
        nsclc_row("R01-001"),
        nsclc_row("AMC-002", **DEAD),
        nsclc_row("R01-003", **{"Date of Last Known Alive": "Not Collected"}),
    ]
    table = write_table(tmp_path / "t.csv", rows)
    run(NSCLC, root, table, tmp_path / "cohort", rois=("Tumor",))

    written = {row["Case ID"]: row for row in rows_of(tmp_path / "cohort" / "table.csv")}
    outcomes = {name: (row["time_days"], row["event"]) for name, row in written.items()}
    assert outcomes == {"R01-001": ("730", "0"), "AMC-002": ("6", "1"), "R01-003": ("", "0")}
    content = cohort_file(tmp_path / "cohort")
    assert content["site"] == "Patient affiliation"
    assert {"Not Collected", "Unknown", ""} <= set(content["missing"])
    assert content["modalities"]["ct"] == CT_BOX | {"mask": "ct_tumor"}
    assert content["modalities"]["pet"] == PET_SHARED
    found = errors(tmp_path / "cohort")
    assert len(found) == 1
    assert "time_days" in found[0] or "duration" in found[0]


def test_without_a_region_the_box_is_at_the_pets_peak(tmp_path: Path) -> None:
    """Nothing is asked of the SEG; a CT without PET is cropped in its middle."""
    root = tmp_path / "tcia"
    write_nsclc(root, "R01-001", pet=True)
    write_nsclc(root, "R01-002", pet=False)
    table = write_table(tmp_path / "t.csv", [nsclc_row("R01-001", **DEAD), nsclc_row("R01-002")])
    run(NSCLC, root, table, tmp_path / "cohort")

    modalities = cohort_file(tmp_path / "cohort")["modalities"]
    assert modalities["ct"] == {
        "kind": "volume", "path": "ct_path", "window": [-250, 250], "grid": "pet",
        "alone": "center",
    }  # fmt: skip
    assert modalities["pet"] == {
        "kind": "volume", "path": "pet_path", "window": [0, "p99.9"], "spacing": [1, 1, 1],
        "size": [128, 128, 128], "crop": "peak",
    }  # fmt: skip
    assert errors(tmp_path / "cohort") == []


def test_radiogenomics_with_the_real_clinical_table(shared_data: Path, tmp_path: Path) -> None:
    """137 patients, 41 deaths; AMC-002 was alive after 30 days, its stage was not collected."""
    table = shared_data / "nsclc-radiogenomics" / "clinical.csv"
    plan = nsclc_radiogenomics_plan(read_clinical_table(table))
    assert plan.derived == {}
    write_nsclc(tmp_path / "tcia", "AMC-002", pet=True)
    found = run(NSCLC, tmp_path / "tcia", table, tmp_path / "cohort")

    assert found.rows == 137
    cohort = Cohort.read(tmp_path / "cohort" / "cohort.yaml", needs_outcome=False)
    spec = cohort.input_spec("clinical", [0])
    levels = {column.name: column.levels for column in spec.columns}
    assert levels["p_t_stage"] == ()
    assert levels["sex"] == ("Female",)
    sample = cohort.read_sample("clinical", 0, spec)
    assert sample is not None
    assert bool(sample.values[[column.name for column in spec.columns].index("p_t_stage")].isnan())


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"Survival Status": "Lost"}, r"subject 'R01-001': Survival Status is Dead or Alive, not"),
        ({"CT Date": "24.4.1991"}, r"CT Date is a date such as 4/24/1991, not '24\.4\.1991'"),
    ],
)
def test_what_is_no_outcome_is_refused(tmp_path: Path, cells: dict[str, str], message: str) -> None:
    """A status or a date of another form is not guessed."""
    table = write_table(tmp_path / "t.csv", [nsclc_row("R01-001", **cells)])

    with pytest.raises(DataError, match=message):
        nsclc_radiogenomics_plan(read_clinical_table(table, usual=usual_subjects(NSCLC)))


def test_another_table_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    """Both collections say which form comes closest."""
    row = hn1_row("HN1004")
    del row["clin_t"]
    table = read_clinical_table(write_table(tmp_path / "t.csv", [row]), usual=("id",))
    plain = IngestSettings()

    with pytest.raises(ConfigError, match=r"HN1 \(July 2020\): the published form lacks clin_t"):
        apply_layout(HN1, table, OutcomeRequest(), plain)
    with pytest.raises(ConfigError, match="the clinical table of NSCLC Radiogenomics"):
        apply_layout(NSCLC, table, OutcomeRequest(), plain)
    with pytest.raises(ConfigError, match="--paper belongs to --layout tcia-lung1"):
        apply_layout(HN1, table, OutcomeRequest(), plain, paper=True)
    with pytest.raises(ConfigError, match="--layout tcia-hn1 says the outcome"):
        apply_layout(HN1, table, OutcomeRequest(unit="days"), plain)
