"""Broken input: one clear line, nothing lost, nothing written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.core.dicom.mask_writer import blank_image, outline, square, write_structures
from tests.core.dicom.writer import random_volume, uid, write_series
from tests.core.ingest.archive import (
    ORIGIN,
    SHAPE,
    SPACING,
    rows_of,
    rules_of,
    run_ingest,
    voxels,
    write_patient,
    write_table,
)

from survkit.errors import ConfigError, DataError, RunError, UserError
from survkit.ingest import IngestSettings, OutcomeRequest, Running, plan_cohort, read_clinical_table
from survkit.ingest.cohort_plan import parse_causes

Fault = Callable[[Path], dict[str, Any] | None]


def regions(folder: Path, outlines: list[Any], **options: Any) -> None:
    """Write a CT of patient A and an RTSTRUCT of these outlines on it, unless told otherwise."""
    series, frame = uid(), uid()
    shared = {"patient_id": "A", "series_uid": series, "frame_uid": frame}
    write_series(folder / "ct", random_volume(SHAPE), spacing=SPACING, **shared)
    write_structures(folder / "rt.dcm", {"GTV": outlines}, **(shared | options))


def drawn(plane: float, low: float = 2.5, high: float = 8.5) -> list[Any]:
    """Return a square on a slice of the archive's grid."""
    return [outline(blank_image(SHAPE, SPACING, ORIGIN), square(low, high), plane)]


def mixed_patients(folder: Path) -> None:
    def change(index: int, data: Any) -> None:
        data.PatientID = "A" if index < 2 else "C"

    write_series(folder / "x", random_volume(SHAPE), change=change)


def other_series(folder: Path) -> dict[str, Any]:
    regions(folder, drawn(2), series_uid=uid())
    return {"rois": ("GTV",)}


def empty_region(folder: Path) -> dict[str, Any]:
    regions(folder, [])
    return {"rois": ("GTV",)}


def off_the_grid(folder: Path) -> dict[str, Any]:
    regions(folder, drawn(2.4))
    return {"rois": ("GTV",)}


def misspelt_region(folder: Path) -> dict[str, Any]:
    regions(folder, drawn(2))
    return {"rois": ("GTV1",)}


def damaged_region(folder: Path) -> dict[str, Any]:
    regions(folder, [])
    path = folder / "rt.dcm"
    regions(folder / "more", [])
    content = bytearray((folder / "more" / "rt.dcm").read_bytes())
    path.write_bytes(bytes(content[: len(content) - 40]))
    return {"rois": ("GTV",)}


def no_weight(folder: Path) -> dict[str, Any]:
    volume = random_volume(SHAPE) + 1000
    tags = {"PatientWeight": None}
    write_series(folder, volume, modality="PT", intercept=0.0, patient_id="A", tags=tags)
    return {"modalities": ("PT", "CT")}


def equally_good(folder: Path) -> dict[str, Any]:
    study = uid()
    for name in "12":
        write_series(folder / name, random_volume(SHAPE), patient_id="A", study_uid=study)
    return {"series": "thinnest"}


def two_studies_of_one_time(folder: Path) -> dict[str, Any]:
    for name in "12":
        write_series(folder / name, random_volume(SHAPE), patient_id="A")
    return {"study": "first"}


def undated_study(folder: Path) -> dict[str, Any]:
    for name in "12":
        write_series(folder / name, random_volume(SHAPE), patient_id="A", tags={"StudyDate": None})
    return {"study": "last"}


def missing_kernel(folder: Path) -> dict[str, Any]:
    write_patient(folder, "A", tags={"ConvolutionKernel": "B30f"})
    write_patient(folder.parent / "b", "B", tags={"ConvolutionKernel": "B70f"})
    return {"kernel": "B70f"}


def no_patient(folder: Path) -> None:
    write_series(folder, random_volume(SHAPE), patient_id="")


def unlisted(folder: Path) -> None:
    write_series(folder, random_volume(SHAPE), patient_id="C")


def traversal(folder: Path) -> None:
    write_series(folder, random_volume(SHAPE), patient_id="../../x")


@pytest.mark.parametrize(
    ("fault", "rule", "reason"),
    [
        (mixed_patients, "mixed", "patient"),
        (other_series, "other-series", "drawn on another series"),
        (empty_region, "region", "holds no outline"),
        (off_the_grid, "region", "an outline lies 1.2 mm from the nearest slice"),
        (misspelt_region, "no-region", "Did you mean 'GTV'?"),
        (damaged_region, "", "rt.dcm"),
        (no_weight, "suv", "the tag PatientWeight is missing"),
        (equally_good, "ambiguous-series", "2 are equally good"),
        (two_studies_of_one_time, "ambiguous-study", "same date and time"),
        (undated_study, "undated-study", "choose by most-slices"),
        (missing_kernel, "no-series", "no CT series has the kernel 'B70f' (there are: B30f)"),
        (no_patient, "no-patient", "nobody's"),
        (unlisted, "no-table-row", "no row of the clinical table"),
        (traversal, "unsafe-id", "'../../x' cannot name a folder"),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
def test_what_is_wrong_with_one_patient_is_listed_and_the_others_go_on(
    tmp_path: Path, fault: Fault, rule: str, reason: str
) -> None:
    """A line of refused.csv with the rule and the reason; B is in the cohort as ever."""
    source, out = tmp_path / "dicom", tmp_path / "cohort"
    write_patient(source / "b", "B")
    rules = fault(source / "a") or {}
    table = write_table(tmp_path / "t.csv", ["A", "B", "../../x"])

    found = run_ingest(source, table, out, **rules)

    assert "B" in found.subjects
    lines = [row for row in rows_of(out / "refused.csv") if row["rule"].startswith(rule)]
    assert any(reason in row["what"] + ": " + row["reason"] for row in lines), rows_of(
        out / "refused.csv"
    )
    assert {path.name for path in (out / "images").iterdir()} <= {"A", "B"}
    assert not (tmp_path.parent / "x").exists()


def test_an_image_whose_region_is_refused_stays(tmp_path: Path) -> None:
    """The volume is in the cohort with an empty cell for the mask."""
    source, out = tmp_path / "dicom", tmp_path / "cohort"
    rules = off_the_grid(source)

    run_ingest(source, write_table(tmp_path / "t.csv", ["A"]), out, **rules)

    row = rows_of(out / "table.csv")[0]
    assert (row["ct_path"], row["ct_gtv"]) == ("images/A/ct.nii.gz", "")


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


def test_a_full_disk_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second volume cannot be written: one line, and --resume goes on after space is made."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A", "B"])
    for patient in "AB":
        write_patient(source / patient, patient)
    import SimpleITK as sitk

    real = sitk.WriteImage

    def full(image: Any, name: str, *rest: Any) -> None:
        if "B" in name:
            raise RuntimeError("no space left")
        real(image, name, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(sitk, "WriteImage", full)
        with pytest.raises(RunError, match=r"cannot be written: .*go on with --resume"):
            run_ingest(source, table, tmp_path / "cohort")

    found = run_ingest(source, table, tmp_path / "cohort", running=Running(resume=True))

    assert (found.kept, found.subjects) == (1, ("A", "B"))


def test_a_mark_that_cannot_be_written_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills up between two cases: what is finished is kept."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A", "B"])
    for patient in "AB":
        write_patient(source / patient, patient)
    import survkit.ingest.folder as module

    real = module.write_bytes

    def full(path: Path, content: bytes) -> Path:
        if path.name == "B.json":
            raise DataError(f"{path}: cannot be written: No space left on device")
        return real(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_bytes", full)
        with pytest.raises(RunError, match=r"No space left.*--resume"):
            run_ingest(source, table, tmp_path / "cohort")

    assert run_ingest(source, table, tmp_path / "cohort", running=Running(resume=True)).kept == 1


def interrupted_at_b(source: Path, table: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write patients A and B, and interrupt the ingest when A is finished."""
    for patient in "AB":
        write_patient(source / patient, patient)
    import survkit.ingest.run as module

    real = module.convert

    def stop_at_b(case: Any, *rest: Any) -> Any:
        if case.subject == "B":
            raise KeyboardInterrupt
        return real(case, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(module, "convert", stop_at_b)
        with pytest.raises(KeyboardInterrupt):
            run_ingest(source, table, out)


def test_a_patient_who_left_meanwhile_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files removed between an interruption and --resume are not in the cohort."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A", "B"])
    interrupted_at_b(source, table, tmp_path / "cohort", monkeypatch)
    shutil.rmtree(source / "A")

    run_ingest(source, table, tmp_path / "cohort", running=Running(resume=True))

    assert [path.name for path in (tmp_path / "cohort" / "images").iterdir()] == ["B"]
    assert rules_of(tmp_path / "cohort") == [("A", "no-images")]


def test_files_that_changed_meanwhile_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other voxels in files of the same names and sizes: the finished case is done anew."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A", "B"])
    interrupted_at_b(source, table, tmp_path / "cohort", monkeypatch)
    volume = write_patient(source / "A", "A", seed=9)

    found = run_ingest(source, table, tmp_path / "cohort", running=Running(resume=True))

    assert found.kept == 0
    np.testing.assert_array_equal(voxels(tmp_path / "cohort/images/A/ct.nii.gz"), volume)


def many_files(folder: Path, count: int) -> None:
    """Write patients of 40 tiny slices each: the first one's bytes with other identifiers."""
    study, series, frame = uid(), uid(), uid()
    shared = {"study_uid": study, "series_uid": series, "frame_uid": frame}
    template = write_series(folder / "000", random_volume((40, 4, 4)), patient_id="P000", **shared)
    for number in range(1, count // 40):
        place = folder / f"{number:03d}"
        place.mkdir()
        for path in template:
            content = path.read_bytes().replace(b"P000", f"P{number:03d}".encode())
            for one in shared.values():
                other = f"{one[:-4]}{number:03d}1"  # of the same length, so nothing moves
                content = content.replace(one.encode(), other.encode())
            (place / path.name).write_bytes(content)


@pytest.mark.parametrize(
    "count", [2000, pytest.param(20_000, marks=pytest.mark.slow)], ids=["2000", "20000"]
)
def test_a_folder_of_thousands_of_files(tmp_path: Path, count: int) -> None:
    """All patients come out, and every file is in a volume."""
    source, out = tmp_path / "dicom", tmp_path / "cohort"
    many_files(source, count)
    table = write_table(tmp_path / "t.csv", [f"P{number:03d}" for number in range(count // 40)])

    found = run_ingest(source, table, out)

    assert len(found.subjects) == count // 40
    assert sum(int(row["slices"]) for row in rows_of(out / "quality.csv")) == count
    assert rules_of(out) == []
