"""A folder of radiographs and a table: rows find their one picture, or are listed with why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.core.data.test_radiograph_dicom import STORED, written
from tests.core.ingest.archive import rows_of, rules_of, write_table

from survkit.cli import main
from survkit.data.cohort import Cohort
from survkit.errors import ConfigError, DataError
from survkit.ingest import (
    Ingested,
    OutcomeRequest,
    ingest_cxr_folder,
    read_clinical_table,
)


def row(name: str, patient: str, time: str = "10", event: str = "1", **more: str) -> dict[str, str]:
    """Return a row of the clinical table."""
    found = {"image_id": name, "patient": patient, "duration": time, "event": event, "age": "60"}
    return found | more


ROWS = [
    row("a", "p1"),
    row("b", "p1", time="8"),
    row("c", "p2", event="0"),
    row("IM0001", "p3"),
    row("e.tif", "p4"),
    row("missing", "p5"),
    row("twin", "p6"),
    row("zero", "p7", time="0"),
    row("late", "p8", time="-3"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with pictures of all kinds at any depth, and something that is none."""
    place = tmp_path / "pictures"
    (place / "deep").mkdir(parents=True)
    names = ["a.png", "deep/b.jpg", "c.png", "e.tif", "twin.png", "deep/twin.jpg"]
    for seed, name in enumerate([*names, "zero.png", "late.png", "nobody.png"]):
        values = np.random.default_rng(seed).integers(0, 255, (9, 8)).astype(np.uint8)
        Image.fromarray(values).save(place / name)
    written(place / "deep" / "IM0001")
    (place / "a.txt").write_text("no picture")
    return place


def ingested(folder: Path, rows: list[dict[str, str]] = ROWS, **settings: Any) -> Ingested:
    """Ingest with these rows."""
    out = folder.parent / "cohort"
    table = read_clinical_table(
        write_table(folder.parent / "clinical.csv", rows), subject="image_id"
    )
    asked = OutcomeRequest(causes={1: "death"}, columns=("age",))
    return ingest_cxr_folder(folder, table, out, asked=asked, **settings)


def test_names_are_matched_with_or_without_their_ending(folder: Path) -> None:
    """PNG, JPEG, TIFF and a DICOM file without ending; the rest is listed by rule."""
    found = ingested(folder, group="patient")

    assert found.subjects == ("a", "b", "c", "IM0001", "e.tif")
    assert rules_of(found.folder) == [
        ("", "not-in-table"),
        ("late", "negative-follow-up"),
        ("missing", "no-image"),
        ("twin", "several-images"),
        ("zero", "no-follow-up"),
    ]
    cohort = Cohort.read(found.folder / "cohort.yaml")
    assert cohort.group == ("p1", "p1", "p2", "p3", "p4")
    sample = cohort.read_sample("cxr", 3, cohort.input_spec("cxr", [3]))
    assert sample is not None
    np.testing.assert_array_equal(sample.values[0].numpy(), STORED)
    assert rows_of(found.folder / "table.csv")[1]["cxr_path"] == "../pictures/deep/b.jpg"


def test_a_column_of_files_is_followed(folder: Path) -> None:
    """Relative to the folder; an empty cell and an absent file are listed."""
    rows = [
        row("1", "p1", file="a.png"),
        row("2", "p2", file="deep/b.jpg"),
        row("3", "p3", file=""),
        row("4", "p4", file="x.png"),
        row("5", "p5", file="a.txt"),
    ]
    found = ingested(folder, rows)

    assert found.subjects == ("1", "2")
    expected = [("", "not-in-table"), ("3", "no-image"), ("4", "no-image"), ("5", "unreadable")]
    assert rules_of(found.folder) == expected


def test_a_file_outside_the_folder_is_refused(folder: Path) -> None:
    """A table may not lead anywhere else."""
    with pytest.raises(DataError, match=r"the file of '1' lies outside .*: '\.\./secret\.png'"):
        ingested(folder, [row("1", "p1", file="../secret.png")])


def test_one_picture_of_two_patients_is_refused_for_both(folder: Path) -> None:
    """By path or by bytes; of one patient it may stand twice."""
    rows = [row("1", "p1", file="a.png"), row("2", "p2", file="a.png")]
    with pytest.raises(DataError, match="an image belongs to one patient, but the same bytes"):
        ingested(folder, rows)
    (folder / "copy.png").write_bytes((folder / "a.png").read_bytes())
    rows = [row("1", "p1", file="a.png"), row("2", "p1", file="copy.png")]

    assert ingested(folder, rows, group="patient").subjects == ("1", "2")


@pytest.mark.parametrize(
    ("cell", "rule", "said"),
    [
        ("", "missing-time", "must be a number of days, but is missing"),
        ("NA", "missing-time", "must be a number of days, but is missing"),
        ("soon", "not-a-time", "must be a number of days, but is 'soon'"),
        ("1_0", "not-a-time", "must be a number of days, but is '1_0'"),
        ("inf", "not-a-time", "must be a number of days, but is 'inf'"),
    ],
)
def test_a_time_that_is_none_is_listed(folder: Path, cell: str, rule: str, said: str) -> None:
    """As a time of 0 is: the row is not in the cohort, which therefore reads without a problem."""
    from survkit.data.check import check_cohort

    found = ingested(folder, [row("a", "p1", time=cell), row("b", "p2")])

    assert found.subjects == ("b",)
    assert ("a", rule) in rules_of(found.folder)
    assert said in next(line.reason for line in found.left if line.subject == "a")
    problems = check_cohort(found.folder / "cohort.yaml")
    assert [problem for problem in problems if problem.severity == "error"] == []


def test_times_that_are_all_none_are_no_cohort(folder: Path) -> None:
    """A column that holds something else is found out, with its first cell."""
    with pytest.raises(DataError, match=r"no image can be used .*number of days, but is 'early'"):
        ingested(folder, [row("a", "p1", time="early"), row("b", "p2", time="late")])


def test_the_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The options of an ingest of DICOM series are refused, the cohort is printed."""
    table = write_table(tmp_path / "clinical.csv", ROWS)
    out = ["--layout", "cxr-folder", "--out", str(tmp_path / "c")]
    common = ["ingest", str(folder), *out, "--table", str(table), "--group", "patient"]
    assert main([*common, "--modality", "MR"]) == 2
    assert "options of DICOM series" in capsys.readouterr().err
    assert main(["ingest", str(folder), *out]) == 2
    assert "give --table" in capsys.readouterr().err
    assert main([*common, "--group", "person"]) == 2
    assert "there is no column 'person'" in capsys.readouterr().err
    assert main(["ingest", str(folder), "--out", "x", "--table", str(table), "--group", "a"]) == 2
    assert "--group belongs to --layout cxr-folder" in capsys.readouterr().err
    assert main([*common, "--causes", "1=death", "--columns", "age"]) == 0
    assert "5 of 9 subjects: 5 cxr_path" in capsys.readouterr().out
    assert main(["cohort", "check", str(tmp_path / "c" / "cohort.yaml")]) == 0
    assert "5 images of 4 patients ('patient')" in capsys.readouterr().out


def test_resume_means_nothing(folder: Path) -> None:
    """Nothing is copied, so nothing can be half done."""
    from survkit.ingest import Running

    with pytest.raises(ConfigError, match="nothing to resume"):
        ingested(folder, running=Running(resume=True))
