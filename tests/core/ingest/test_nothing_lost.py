"""Full disks, interruptions and folders of thousands: nothing finished is lost."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.core.dicom.writer import random_volume, uid, write_series
from tests.core.ingest.archive import (
    rows_of,
    rules_of,
    run_ingest,
    voxels,
    write_patient,
    write_table,
)

from survkit.errors import DataError, RunError
from survkit.ingest import Running


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
