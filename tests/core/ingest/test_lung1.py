"""The layout of NSCLC-Radiomics: tables in both forms, folders by patient, the paper's seven."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from tests.core.dicom.mask_writer import blank_image, write_segmentation
from tests.core.ingest.archive import (
    ORIGIN,
    SHAPE,
    SPACING,
    rows_of,
    rules_of,
    voxels,
    write_patient,
    write_table,
)

from survkit.data.check import check_cohort
from survkit.data.cohort import Cohort
from survkit.errors import ConfigError
from survkit.ingest import (
    Ingested,
    IngestSettings,
    OutcomeRequest,
    apply_layout,
    ingest,
    read_clinical_table,
)
from survkit.ingest.lung1 import PAPER_EXCLUDES, PUBLISHED


def write_collection(root: Path, patients: list[str]) -> Path:
    """Write patients as TCIA does: collection/patient/study/series; CT, RTSTRUCT and SEG."""
    for seed, patient in enumerate(patients):
        study = root / "NSCLC-Radiomics" / patient / "09-18-2008-StudyID-NA-69331"
        write_patient(study, patient, seed=seed, region="GTV-1")
        grid = blank_image(SHAPE, SPACING, ORIGIN)
        mask = voxels_of_square()
        (study / "300.000000-Segmentation-9.554").mkdir()
        write_segmentation(
            study / "300.000000-Segmentation-9.554" / "1-1.dcm",
            grid,
            {"GTV-1": mask},
            patient_id=patient,
            series_uid=None,
            frame_uid="1.2.3.4.9",
        )
    (root / "metadata.csv").write_text("Series UID,Collection\n")
    return root


def voxels_of_square() -> NDArray[np.bool_]:
    """Return the archive's square region as voxels."""
    mask = np.zeros(SHAPE, bool)
    mask[1:4, 3:9, 3:9] = True
    return mask


def published_rows(patients: list[str]) -> list[dict[str, str]]:
    """Return rows with the columns of the published table."""
    return [
        {
            "PatientID": patient, "age": "78.7515", "clinical.T.Stage": "2",
            "Clinical.N.Stage": "3", "Clinical.M.Stage": "0", "Overall.Stage": "IIIb",
            "Histology": "NA" if k else "large cell", "gender": "male",
            "Survival.time": f"{200 + k}", "deadstatus.event": f"{1 - k % 2}",
        }
        for k, patient in enumerate(patients)
    ]  # fmt: skip


def run(root: Path, table: Path, out: Path, *, paper: bool = False) -> Ingested:
    """Ingest with the layout and nothing else said."""
    clinical = read_clinical_table(table)
    plan, settings = apply_layout(
        "tcia-lung1", clinical, OutcomeRequest(), IngestSettings(), paper=paper
    )
    return ingest(root, clinical, out, cohort=plan, settings=settings)


def test_the_published_table_and_folders(tmp_path: Path) -> None:
    """Death in days, masks of the RTSTRUCT, clinical columns; the cohort reads without error."""
    patients = ["LUNG1-001", "LUNG1-002", "LUNG1-014"]
    root = write_collection(tmp_path / "tcia", patients)
    table = write_table(tmp_path / "clinical.csv", published_rows([*patients, "LUNG1-003"]))

    found = run(root, table, tmp_path / "cohort", paper=True)

    assert found.subjects == ("LUNG1-001", "LUNG1-002")
    content = yaml.safe_load((tmp_path / "cohort/cohort.yaml").read_text())
    assert content["outcome"] == {
        "duration": "Survival.time", "unit": "days", "event": "deadstatus.event",
        "causes": {1: "death"},
    }  # fmt: skip
    assert content["modalities"]["ct"] == {
        "kind": "volume", "path": "ct_path", "mask": "ct_gtv_1",
    }  # fmt: skip
    assert content["modalities"]["clinical"]["columns"] == [*PUBLISHED.numbers, *PUBLISHED.names]
    assert voxels(tmp_path / "cohort/images/LUNG1-002/ct_gtv_1.nii.gz").sum() == 108
    excluded = [
        row for row in rows_of(tmp_path / "cohort/refused.csv") if row["rule"] == "excluded"
    ]
    assert {row["subject"] for row in excluded} == {"LUNG1-014"}
    assert all("Paolo et al. (2026)" in row["reason"] for row in excluded)
    assert ("LUNG1-003", "no-images") in rules_of(tmp_path / "cohort")
    problems = check_cohort(tmp_path / "cohort/cohort.yaml")
    assert [p.message for p in problems if p.severity == "error"] == []


def test_synthetic_scans_with_the_real_clinical_table(shared_data: Path, tmp_path: Path) -> None:
    """The tidy table of 274 patients: outcomes and columns of the published study."""
    root = write_collection(tmp_path / "tcia", ["LUNG1-001", "LUNG1-002"])

    found = run(root, shared_data / "lung1" / "clinical.csv", tmp_path / "cohort")

    assert found.subjects == ("LUNG1-001", "LUNG1-002")
    assert sum(rule == "no-images" for _, rule in rules_of(tmp_path / "cohort")) == 272
    cohort = Cohort.read(tmp_path / "cohort/cohort.yaml")
    assert cohort.outcome is not None
    assert cohort.outcome.duration.tolist() == [2165.0, 155.0]
    assert cohort.outcome.event.tolist() == [1, 1]
    assert rows_of(tmp_path / "cohort/table.csv")[0]["histology"] == "large cell"


def test_a_series_in_another_patients_folder_is_refused(tmp_path: Path) -> None:
    """Files of LUNG1-002 below the folder of LUNG1-001."""
    root = write_collection(tmp_path / "tcia", ["LUNG1-001", "LUNG1-002"])
    place = root / "NSCLC-Radiomics"
    study = next((place / "LUNG1-002").iterdir())
    study.rename(place / "LUNG1-001" / "another")
    table = write_table(tmp_path / "t.csv", published_rows(["LUNG1-001", "LUNG1-002"]))

    found = run(root, table, tmp_path / "cohort")

    assert found.subjects == ("LUNG1-001",)
    line = next(
        row for row in rows_of(tmp_path / "cohort/refused.csv") if row["rule"] == "other-patient"
    )
    assert line["subject"] == "LUNG1-002"
    assert "named 'LUNG1-001'" in line["reason"]


def test_the_seven_of_the_paper() -> None:
    """422 - 7 = 415."""
    assert PAPER_EXCLUDES == (
        "LUNG1-014", "LUNG1-021", "LUNG1-085", "LUNG1-095", "LUNG1-128", "LUNG1-194", "LUNG1-246",
    )  # fmt: skip


def test_another_table_or_an_outcome_said_twice_is_refused(tmp_path: Path) -> None:
    """What lacks is named; --paper and the outcome options belong to one layout each."""
    rows = published_rows(["LUNG1-001"])
    del rows[0]["Survival.time"]
    table = read_clinical_table(write_table(tmp_path / "t.csv", rows))
    plain = IngestSettings()

    with pytest.raises(ConfigError, match=r"the published form lacks Survival\.time"):
        apply_layout("tcia-lung1", table, OutcomeRequest(), plain)
    with pytest.raises(ConfigError, match="leave --duration"):
        apply_layout("tcia-lung1", table, OutcomeRequest(unit="days"), plain)
    with pytest.raises(ConfigError, match="belongs to --layout tcia-lung1"):
        apply_layout("generic", table, OutcomeRequest(), plain, paper=True)
    with pytest.raises(ConfigError, match="Did you mean 'tcia-lung1'"):
        apply_layout("tcia-lung", table, OutcomeRequest(), plain)
