"""Wrong tables, keys, settings, outcomes and folders are refused before anything is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.core.ingest.archive import (
    run_ingest,
    write_patient,
    write_table,
)

from survkit.errors import ConfigError, DataError, RunError, UserError
from survkit.ingest import IngestSettings, OutcomeRequest, Running, plan_cohort, read_clinical_table
from survkit.ingest.cohort_plan import parse_causes


def refused(error: type[UserError], match: str, source: Path, table: Path, **more: Any) -> None:
    """Assert that an ingest is refused with these words, and that nothing is written."""
    out = more.pop("out", table.parent / "cohort")
    before = sorted(table.parent.rglob("*"))
    with pytest.raises(error, match=match) as caught:
        run_ingest(source, table, out, **more)
    assert "\n" not in str(caught.value)
    assert sorted(table.parent.rglob("*")) == before


def test_nothing_is_written_without_a_usable_patient(tmp_path: Path) -> None:
    """No folder, no DICOM, nobody of the table, nobody usable: one line with the reasons."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A"])
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("x")
    write_patient(source / "c", "C")
    broken = tmp_path / "broken"
    write_patient(broken, "A", drop=[2])

    refused(DataError, "no such folder", tmp_path / "nowhere", table)
    refused(DataError, "it holds no DICOM image", empty, table)
    refused(DataError, r"ids such as 'A'\) has a usable image: 1 x no-table-row", source, table)
    refused(DataError, "1 x missing-slices .*slice", broken, table)
    tilted = tmp_path / "tilted"
    write_patient(tilted, "A", tilt=5.0)
    refused(DataError, "1 x tilt .*5.00 degrees", tilted, table)


def test_tables_that_are_no_tables_of_subjects_are_refused(tmp_path: Path) -> None:
    """Ids that are missing, twice, or differ by case; no id column, two of them."""
    write_patient(tmp_path / "dicom", "A")

    def table(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    def bad(error: type[UserError], match: str, text: str) -> None:
        refused(error, match, tmp_path / "dicom", table("t.csv", text))

    end = ",duration,event\n"
    bad(DataError, "row 3 has no id", f"patient_id{end}A,1,1\n,2,0\n")
    bad(DataError, "'A' stands in rows 2 and 4", f"patient_id{end}A,1,1\nB,2,0\nA,3,0\n")
    bad(DataError, "'a1' and 'A1' differ by case", f"patient_id{end}a1,1,1\nA1,2,0\n")
    bad(ConfigError, "none of subject_id, .*give --subject", f"case{end}A,1,1\n")
    bad(ConfigError, "subject_id and patient_id; give", f"subject_id,patient_id{end}A,A,1,1\n")
    bad(ConfigError, "Give --duration and --event", "patient_id,time,status\nA,1,1\n")
    bad(ConfigError, "'ct_path' is there already", "patient_id,duration,event,ct_path\nA,1,1,x\n")
    bad(DataError, "the table has no rows", f"patient_id{end}")
    refused(DataError, "there is no such file", tmp_path / "dicom", tmp_path / "none.csv")


def test_keys_that_are_no_keys_are_refused(tmp_path: Path) -> None:
    """Other columns, a patient twice, a subject twice, a subject nobody knows, two ways at once."""
    write_patient(tmp_path / "dicom", "A")
    table = write_table(tmp_path / "t.csv", ["one", "two"])

    def bad(match: str, text: str) -> None:
        (tmp_path / "key.csv").write_text(text)
        refused(DataError, match, tmp_path / "dicom", table, key=tmp_path / "key.csv")

    bad("a key has the columns PatientID and subject, not id, subject", "id,subject\nA,one\n")
    bad("'A' stands in rows 2 and 3", "PatientID,subject\nA,one\nA,two\n")
    bad("'one' stands in rows 2 and 3", "PatientID,subject\nA,one\nB,one\n")
    bad("row 2: the table has no subject 'three'", "PatientID,subject\nA,three\n")
    with pytest.raises(ConfigError, match="not by both"):
        read_clinical_table(table, key=table, secret=table)


@pytest.mark.parametrize(
    ("rules", "match"),
    [
        ({"modalities": ("CTT",)}, "no modality is 'CTT'. Did you mean 'CT'"),
        ({"modalities": ("CT", "CT")}, "each once"),
        ({"modalities": ()}, "must be named"),
        ({"series": "thickest"}, "no series rule is 'thickest'. Did you mean 'thinnest'"),
        ({"study": "frist"}, "Did you mean 'first'"),
        ({"tilt": "ignore"}, "no tilt rule is 'ignore'"),
        ({"rois": ("GTV",), "mask_from": "nifti"}, "no mask source is 'nifti'"),
        ({"rois": ("GTV",), "threshold": 1.5}, "not 1.5"),
        ({"threshold": 0.5}, "means nothing without a region's name"),
        ({"rois": ("GTV-1", "gtv 1")}, "cannot name a column of its own"),
        ({"rois": ("!!",)}, "cannot name a column"),
    ],
)
def test_settings_that_mean_nothing_are_refused(rules: dict[str, Any], match: str) -> None:
    """Before any file is read."""
    with pytest.raises(ConfigError, match=match):
        IngestSettings(**rules)


def test_outcomes_that_are_none_are_refused(tmp_path: Path) -> None:
    """Units, causes, columns, and what is said twice."""
    table = read_clinical_table(write_table(tmp_path / "t.csv", ["A"]))
    for asked, match in (
        (OutcomeRequest(unit="weeks"), "unit"),
        (OutcomeRequest(causes={0: "death"}), "more than once"),
        (OutcomeRequest(duration="agee"), "no column 'agee'. Did you mean 'age'"),
        (OutcomeRequest(columns=("stage",)), "no column 'stage'"),
        (OutcomeRequest(unit="days", cohort_file=tmp_path / "c.yaml"), "--outcome says"),
        (OutcomeRequest(cohort_file=tmp_path / "c.yaml"), "no such file"),
    ):
        with pytest.raises(ConfigError, match=match):
            plan_cohort(table, asked)
    for pairs in (["1"], ["=death"], ["1="], ["1=a,1=b"]):
        with pytest.raises(ConfigError, match="--causes"):
            parse_causes(pairs)


def test_folders_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    """In a file, inside the archive, nothing to resume, jobs of zero."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A"])
    write_patient(source, "A")
    (tmp_path / "file").write_text("x")

    refused(RunError, "cannot be written", source, table, out=tmp_path / "file" / "cohort")
    refused(RunError, "no ingested cohort", source, table, out=tmp_path / "file")
    refused(RunError, "no ingested cohort", source, table, out=Path("/"))
    refused(RunError, "which is read", source, table, out=source / "cohort")
    refused(RunError, "no interrupted ingest", source, table, running=Running(resume=True))
    refused(RunError, "give one", source, table, running=Running(resume=True, overwrite=True))
    refused(ConfigError, "jobs must be", source, table, running=Running(jobs=0))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_parent_without_permission_is_refused(tmp_path: Path) -> None:
    """Said with the system's reason."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A"])
    write_patient(source, "A")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)

    refused(RunError, "Permission denied", source, table, out=closed / "cohort")
