"""What is wrong with one patient is listed with its rule, and the others go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.core.dicom.mask_writer import blank_image, outline, square, write_structures
from tests.core.dicom.writer import random_volume, uid, write_series
from tests.core.ingest.archive import (
    ORIGIN,
    SHAPE,
    SPACING,
    rows_of,
    run_ingest,
    write_patient,
    write_table,
)

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
