"""What comes out is what was written into the files: voxels, geometry, masks, SUV, tables."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import yaml
from tests.core.dicom.mask_writer import (
    blank_image,
    outline,
    square,
    write_segmentation,
    write_structures,
)
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

from survkit.data.check import check_cohort
from survkit.data.cohort import Cohort
from survkit.errors import RunError
from survkit.ingest import Running


def test_a_cohort_comes_out(tmp_path: Path) -> None:
    """HU, SUV and mask to the voxel, geometry, tables, and a cohort that reads without error."""
    source, out = tmp_path / "dicom", tmp_path / "cohort"
    a = write_patient(source / "x", "A", seed=1, pet=True, region="GTV-1")
    b = write_patient(source / "y", "B", seed=2, region="GTV-1")
    table = write_table(tmp_path / "t.csv", ["B", "A", "C"])

    found = run_ingest(source, table, out, modalities=("CT", "PT"), rois=("GTV-1",))

    assert found.subjects == ("B", "A")
    assert rows_of(out / "table.csv") == [
        {
            "patient_id": "B", "duration": "100", "event": "0", "age": "60",
            "ct_path": "images/B/ct.nii.gz", "ct_gtv_1": "images/B/ct_gtv_1.nii.gz",
            "pet_path": "", "pet_gtv_1": "",
        },
        {
            "patient_id": "A", "duration": "110", "event": "1", "age": "60",
            "ct_path": "images/A/ct.nii.gz", "ct_gtv_1": "images/A/ct_gtv_1.nii.gz",
            "pet_path": "images/A/pet.nii.gz", "pet_gtv_1": "",
        },
    ]  # fmt: skip
    np.testing.assert_array_equal(voxels(out / "images/A/ct.nii.gz"), a)
    np.testing.assert_array_equal(voxels(out / "images/B/ct.nii.gz"), b)
    factor = 1000 * 70 / (3.5e8 * 2 ** (-3600 / 6586.2))
    np.testing.assert_allclose(voxels(out / "images/A/pet.nii.gz"), (a + 1000) * factor, rtol=1e-6)
    mask = voxels(out / "images/A/ct_gtv_1.nii.gz")
    assert mask[1:4, 3:9, 3:9].all()
    assert mask.sum() == 3 * 36
    image = sitk.ReadImage(str(out / "images/A/ct.nii.gz"))
    assert image.GetPixelID() == sitk.sitkInt16
    np.testing.assert_allclose(image.GetSpacing(), SPACING[::-1], atol=1e-6)
    np.testing.assert_allclose(image.GetOrigin(), ORIGIN, atol=1e-5)
    assert rules_of(out) == [
        ("A", "no-region-file"), ("B", "no-series"), ("C", "no-images"),
    ]  # fmt: skip
    assert [p.message for p in check_cohort(out / "cohort.yaml") if p.severity == "error"] == []
    cohort = Cohort.read(out / "cohort.yaml")
    assert cohort.subjects == ("B", "A")
    assert set(cohort.sources) == {"ct", "pet"}


def test_every_file_is_accounted_for(tmp_path: Path) -> None:
    """Files in images + files in refused.csv + ignored files = files in the folder."""
    source, out = tmp_path / "dicom", tmp_path / "cohort"
    write_patient(source / "a", "A", region="GTV-1", pet=True)
    write_patient(source / "b", "B", drop=[2])
    write_patient(source / "c", "UNLISTED", region="GTV-1")
    write_patient(source / "d", "D", duplicate=[1])
    (source / "readme.txt").write_text("no DICOM")
    (source / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\1\2\3")
    table = write_table(tmp_path / "t.csv", ["A", "B", "D"])
    everything = sum(path.is_file() for path in source.rglob("*"))

    run_ingest(source, table, out)

    counts = json.loads((out / "ingest.json").read_text())["counts"]
    used = 5 + 5  # the CTs of A and D; the copy in D is named in quality.csv
    duplicates = sum(int(row["duplicates"] or 0) for row in rows_of(out / "quality.csv"))
    left = sum(int(row["files"]) for row in rows_of(out / "refused.csv"))
    assert duplicates == 1
    assert used + duplicates + left + sum(counts["files_ignored"].values()) == everything
    assert "broken.dcm" in {row["what"] for row in rows_of(out / "refused.csv")}
    assert rules_of(out)[-4:] == [
        ("A", "not-asked"), ("A", "not-asked"), ("B", "missing-slices"), ("B", "no-series"),
    ]  # fmt: skip


def test_the_number_of_processes_and_the_order_of_files_change_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Byte for byte, with two processes and shuffled names; and no process prints anything."""
    names = [f"{k}" for k in (3, 1, 4, 0, 2)]
    for folder, name in (("one", "slice-{}".format), ("two", lambda k: f"x-{names[k]}")):
        for seed, patient in enumerate("ABC"):
            write_patient(tmp_path / folder / patient, patient, seed=seed, name=name)
    table = write_table(tmp_path / "t.csv", list("ABC"))

    run_ingest(tmp_path / "one", table, tmp_path / "1" / "cohort")
    run_ingest(tmp_path / "two", table, tmp_path / "2" / "cohort", running=Running(jobs=2))

    assert "".join(capfd.readouterr()) == ""
    first, second = (tmp_path / each / "cohort" for each in "12")
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert len(files) == 3 + 5
    assert files == sorted(p.relative_to(second) for p in second.rglob("*") if p.is_file())
    assert [f for f in files if (first / f).read_bytes() != (second / f).read_bytes()] == []


def test_values_that_are_no_whole_hu_stay_as_they_are(tmp_path: Path) -> None:
    """A slope of 0.5 gives halves: float32 instead of int16."""
    source = tmp_path / "dicom"
    halves = random_volume(SHAPE) / 2
    write_series(source, halves, slope=0.5, intercept=-512.0, patient_id="A")

    run_ingest(source, write_table(tmp_path / "t.csv", ["A"]), tmp_path / "cohort")

    image = sitk.ReadImage(str(tmp_path / "cohort/images/A/ct.nii.gz"))
    assert image.GetPixelID() == sitk.sitkFloat32
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), halves)


def test_a_tilted_gantry_is_refused_or_corrected(tmp_path: Path) -> None:
    """10 degrees: refused with the angle; corrected on request, and said."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A", "B"])
    write_patient(source / "a", "A", tilt=10.0)
    write_patient(source / "b", "B")

    run_ingest(source, table, tmp_path / "refused")
    run_ingest(source, table, tmp_path / "corrected", tilt="correct")

    assert rules_of(tmp_path / "refused") == [("A", "tilt")]
    assert "10.00 degrees" in rows_of(tmp_path / "refused/refused.csv")[0]["reason"]
    quality = rows_of(tmp_path / "corrected/quality.csv")
    assert [(row["subject"], row["tilt_corrected"]) for row in quality] == [
        ("A", "True"),
        ("B", "False"),
    ]


@pytest.mark.parametrize(
    ("rule", "expected"), [("first", "old"), ("last", "new"), ("most-slices", "old")]
)
def test_the_study_is_chosen_by_a_declared_rule(tmp_path: Path, rule: str, expected: str) -> None:
    """Two studies are ambiguous; by date or by size one is taken and the other is listed."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A", "B"])
    volumes = {"old": random_volume((6, 8, 8), 1), "new": random_volume((4, 8, 8), 2)}
    for year, name in (("2001", "old"), ("2002", "new")):
        write_series(
            source / name, volumes[name], patient_id="A", tags={"StudyDate": f"{year}0101"}
        )
    write_patient(source / "b", "B")

    run_ingest(source, table, tmp_path / "only")
    run_ingest(source, table, tmp_path / rule, study=rule)

    assert ("A", "ambiguous-study") in rules_of(tmp_path / "only")
    np.testing.assert_array_equal(voxels(tmp_path / rule / "images/A/ct.nii.gz"), volumes[expected])
    assert rules_of(tmp_path / rule) == [("A", "not-chosen")]


def test_the_series_is_chosen_by_a_declared_rule(tmp_path: Path) -> None:
    """Two CT series of a study: refused, or the thinnest, and the reason is in quality.csv."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A"])
    study = uid()
    thin, thick = random_volume((6, 8, 8), 1), random_volume((6, 8, 8), 2)
    for name, volume, spacing in (("thin", thin, 1.5), ("thick", thick, 5.0)):
        write_series(
            source / name, volume, patient_id="A", study_uid=study, spacing=(spacing, 0.8, 0.7)
        )

    run_ingest(source, table, tmp_path / "cohort", series="thinnest")

    np.testing.assert_array_equal(voxels(tmp_path / "cohort/images/A/ct.nii.gz"), thin)
    notes = rows_of(tmp_path / "cohort/quality.csv")[0]["notes"]
    assert "1 of 2 CT series by thinnest slices" in notes
    assert rules_of(tmp_path / "cohort") == [("A", "not-chosen")]


def test_the_uncorrected_pet_is_set_aside(tmp_path: Path) -> None:
    """Scanners give a second series without attenuation correction: it is no candidate."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A"])
    study, volume = uid(), random_volume(SHAPE) + 1000
    options = {"modality": "PT", "intercept": 0.0, "patient_id": "A", "study_uid": study}
    write_series(source / "ac", volume, **options)
    write_series(source / "nac", volume * 0, tags={"CorrectedImage": ["DECY"]}, **options)

    run_ingest(source, table, tmp_path / "cohort", modalities=("PT",))

    assert rules_of(tmp_path / "cohort") == [("A", "uncorrected")]
    assert voxels(tmp_path / "cohort/images/A/pet.nii.gz").max() > 0


def test_regions_of_a_seg_and_of_both_kinds(tmp_path: Path) -> None:
    """A SEG gives the mask; where an RTSTRUCT has the region too, the kind must be chosen."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A"])
    series, frame = uid(), uid()
    options = {"patient_id": "A", "frame_uid": frame, "series_uid": series}
    write_series(source / "ct", random_volume(SHAPE), spacing=SPACING, **options)
    mask = np.random.default_rng(5).random(SHAPE) < 0.3
    grid = blank_image(SHAPE, SPACING, ORIGIN)
    write_segmentation(source / "seg.dcm", grid, {"GTV-1": mask}, **options)

    run_ingest(source, table, tmp_path / "seg", rois=("GTV-1",))
    outlines = [outline(grid, square(2.5, 8.5), 2)]
    write_structures(source / "rt.dcm", {"GTV-1": outlines}, **options)
    run_ingest(source, table, tmp_path / "both", rois=("GTV-1",))
    run_ingest(source, table, tmp_path / "rt", rois=("GTV-1",), mask_from="rtstruct")

    np.testing.assert_array_equal(voxels(tmp_path / "seg/images/A/ct_gtv_1.nii.gz"), mask)
    assert ("A", "ambiguous-region") in rules_of(tmp_path / "both")
    assert rows_of(tmp_path / "both/table.csv")[0]["ct_gtv_1"] == ""
    assert voxels(tmp_path / "rt/images/A/ct_gtv_1.nii.gz").sum() == 36
    content = yaml.safe_load((tmp_path / "rt/cohort.yaml").read_text())
    assert content["modalities"]["ct"]["mask"] == "ct_gtv_1"
    assert (
        "mask"
        not in yaml.safe_load((tmp_path / "both/cohort.yaml").read_text())["modalities"]["ct"]
    )


def test_an_interrupted_ingest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed in the third of four cases: two are kept, the result is that of one run."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", list("ABCD"))
    for seed, patient in enumerate("ABCD"):
        write_patient(source / patient, patient, seed=seed)
    import survkit.ingest.run as module

    real, done = module.convert, []

    def interrupted(case: object, *rest: object) -> object:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(case)
        return real(case, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "convert", interrupted)
    out = tmp_path / "cohort"
    with pytest.raises(KeyboardInterrupt):
        run_ingest(source, table, out)
    monkeypatch.setattr(module, "convert", real)
    assert not out.exists()
    with pytest.raises(RunError, match="an interrupted ingest is kept beside it; give --resume"):
        run_ingest(source, table, out)
    with pytest.raises(RunError, match="had another series"):
        run_ingest(source, table, out, running=Running(resume=True), series="thinnest")
    shutil.rmtree(tmp_path / ".cohort.unfinished" / "images" / "B")  # a file was lost meanwhile

    found = run_ingest(source, table, out, running=Running(resume=True))
    run_ingest(source, table, tmp_path / "at once" / "cohort")

    assert found.kept == 1
    assert not (tmp_path / ".cohort.unfinished").exists()
    for path in (tmp_path / "at once" / "cohort").rglob("*"):
        if path.is_file():
            same = out / path.relative_to(tmp_path / "at once" / "cohort")
            assert same.read_bytes() == path.read_bytes(), path.name


def test_a_cohort_is_replaced_only_when_asked(tmp_path: Path) -> None:
    """An ingested cohort with --overwrite; anything else never; the old one stays until the end."""
    source, table = tmp_path / "dicom", write_table(tmp_path / "t.csv", ["A"])
    write_patient(source, "A")
    out = tmp_path / "cohort"
    run_ingest(source, table, out)
    before = (out / "ingest.json").read_bytes()

    with pytest.raises(RunError, match="there already; give --overwrite"):
        run_ingest(source, table, out)
    run_ingest(source, table, out, running=Running(overwrite=True), series="thinnest")
    assert (out / "ingest.json").read_bytes() != before
    (out / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"'notes\.txt' is no part of the ingested cohort"):
        run_ingest(source, table, out, running=Running(overwrite=True))
    (out / "notes.txt").unlink()
    shutil.copytree(source, out / "images" / "source")
    with pytest.raises(RunError, match="which is read; choose another"):
        run_ingest(out / "images" / "source", table, out, running=Running(overwrite=True))
    other = tmp_path / "mine"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match="no ingested cohort; choose another"):
        run_ingest(source, table, other, running=Running(overwrite=True))
    assert (other / "thesis.txt").read_text() == "years of work"


def test_a_real_series_becomes_a_cohort(shared_data: Path, tmp_path: Path) -> None:
    """The road of the public abdominal CT: 41 slices of 5 mm, and the cohort checks out."""
    rows = [{"patient_id": "CRLM-CT-1004", "duration": "500", "event": "1"}]
    table = write_table(tmp_path / "t.csv", rows)

    run_ingest(shared_data / "ct-dicom-crlm", table, tmp_path / "cohort")

    row = rows_of(tmp_path / "cohort/quality.csv")[0]
    assert (row["slices"], row["spacing_z"], row["orientation"]) == ("41", "5.0", "LPS")
    errors = [p for p in check_cohort(tmp_path / "cohort/cohort.yaml") if p.severity == "error"]
    assert errors == []


def test_the_reference_phantom_with_its_region(shared_data: Path, tmp_path: Path) -> None:
    """The IBSI lung CT: volume and mask equal the published NIfTI files in every voxel."""
    folder = shared_data / "ibsi" / "ct_phantom"
    table = write_table(tmp_path / "t.csv", ["1"])

    run_ingest(folder / "dicom", table, tmp_path / "cohort", rois=("GTV-1",))

    images = tmp_path / "cohort" / "images" / "1"
    np.testing.assert_array_equal(voxels(images / "ct.nii.gz"), voxels(folder / "image.nii.gz"))
    mask = voxels(images / "ct_gtv_1.nii.gz")
    np.testing.assert_array_equal(mask, voxels(folder / "mask.nii.gz") > 0)
    assert rows_of(tmp_path / "cohort/quality.csv")[1]["voxels"] == "125256"
