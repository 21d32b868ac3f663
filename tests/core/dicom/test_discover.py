"""Messy folders: every file is offered, refused with a reason, set aside, or counted."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedCTImageStorage, RTStructureSetStorage
from tests.core.dicom.writer import (
    decimals,
    random_volume,
    save,
    slice_dataset,
    uid,
    write_series,
)

from survkit.dicom import Discovery, discover, read_series
from survkit.errors import ConfigError, DataError, MissingExtraError


def rules(found: Discovery) -> list[str]:
    return [each.rule for each in found.refused]


def test_a_messy_folder_is_sorted_out(tmp_path: Path) -> None:
    """Two phases, a PET, a localizer, a screenshot, a structure set and other files in one pile."""
    study = uid()
    thick = write_series(tmp_path / "a", random_volume(seed=1), study_uid=study)
    write_series(
        tmp_path / "a",
        random_volume((9, 4, 4), seed=2),
        study_uid=study,
        spacing=(1.0, 0.5, 0.5),
        name="thin-{}".format,
        tags={"SeriesNumber": 2, "ConvolutionKernel": "B60f"},
    )
    write_series(
        tmp_path / "b",
        random_volume(seed=3).clip(0),
        study_uid=study,
        modality="PT",
        intercept=0.0,
    )
    write_series(
        tmp_path / "b",
        random_volume((2, 9, 4)),
        study_uid=study,
        name="scout-{}".format,
        tags={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
    )
    write_series(
        tmp_path,
        random_volume((1, 9, 4)),
        study_uid=study,
        tags={"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
    )
    structures = slice_dataset(np.zeros((1, 1), "<u2"), "CT")
    structures.SOPClassUID, structures.Modality = RTStructureSetStorage, "RTSTRUCT"
    structures.StudyInstanceUID, structures.SeriesInstanceUID = study, uid()
    del structures.PixelData
    save(tmp_path / "rs.dcm", structures)
    (tmp_path / "notes.txt").write_text("seen", encoding="utf-8")

    found = discover(tmp_path)

    assert [(each.modality, each.slices) for each in found.series] == [
        ("CT", 5),
        ("CT", 9),
        ("PT", 5),
    ]
    assert found.series[1].kernel == "B60f"
    assert found.series[1].spacing == pytest.approx((1.0, 0.5, 0.5))
    assert [each.modality for each in found.others] == ["RTSTRUCT"]
    assert sorted(rules(found)) == ["localizer", "screenshot"]
    assert all(each.expected for each in found.refused)
    assert found.ignored == {"files that are not DICOM": 1}
    assert found.series[0].label == "CT series 1 (5 files in 'a')"
    assert {each.path for each in found.series[0].files} == set(thick)


def test_worker_processes_find_the_same(tmp_path: Path) -> None:
    """The order of files decides, not the speed of workers; progress ends at the count."""
    for number in range(4):
        write_series(tmp_path / str(number), random_volume((20, 2, 2)))
    told: list[tuple[int, int]] = []

    alone = discover(tmp_path)
    together = discover(tmp_path, jobs=2, progress=lambda done, total: told.append((done, total)))

    assert alone == together
    assert told == [(done, 80) for done in range(1, 81)]


def test_two_acquisitions_in_one_series_are_told_apart(tmp_path: Path) -> None:
    """Arterial and venous phase under one UID become two volumes, each said to be one of two."""
    shared = {"study_uid": uid(), "series_uid": uid(), "frame_uid": uid()}
    truths = [random_volume(seed=seed) for seed in (1, 2)]
    for number, truth in enumerate(truths, 1):
        write_series(
            tmp_path,
            truth,
            name=f"{number}-{{}}".format,
            tags={"AcquisitionNumber": number},
            **shared,
        )

    found = discover(tmp_path)

    assert rules(found) == []
    for series, truth in zip(found.series, truths, strict=True):
        volume = read_series(series)
        np.testing.assert_array_equal(sitk.GetArrayFromImage(volume.image), truth)
        assert "1 of 2 acquisitions" in volume.quality.line()


def test_acquisitions_without_a_number_are_refused(tmp_path: Path) -> None:
    """Which slice belongs to which is not guessed."""
    shared = {"study_uid": uid(), "series_uid": uid(), "frame_uid": uid()}
    for seed in (1, 2):
        write_series(tmp_path, random_volume(seed=seed), name=f"{seed}-{{}}".format, **shared)

    found = discover(tmp_path)

    (refusal,) = found.refused
    assert refusal.rule == "two-acquisitions"
    assert "10 different slices stand at 5 positions" in refusal.reason
    assert refusal.files == 10


def test_a_copied_folder_is_one_series(tmp_path: Path) -> None:
    """Copies with equal SOPInstanceUIDs and pixels are counted once."""
    write_series(tmp_path / "a", random_volume())
    shutil.copytree(tmp_path / "a", tmp_path / "b")

    (series,) = discover(tmp_path).series

    assert (series.slices, series.duplicates) == (5, 5)


def test_two_patients_in_one_study_are_refused(tmp_path: Path) -> None:
    """Whose images they are cannot be known."""
    study = uid()
    write_series(tmp_path / "a", random_volume(), study_uid=study, patient_id="A1")
    write_series(tmp_path / "b", random_volume(), study_uid=study, patient_id="A2")

    found = discover(tmp_path)

    assert found.series == ()
    assert rules(found) == ["mixed-patients"] * 2
    assert [each.patient_id for each in found.refused] == ["A1", "A2"]


@pytest.mark.parametrize("with_original", [True, False])
def test_a_reformat_is_set_aside_only_beside_an_original(
    tmp_path: Path, with_original: bool
) -> None:
    """A coronal copy is no second volume; where it is all there is, it is the volume."""
    study = uid()
    write_series(
        tmp_path / "mpr",
        random_volume(),
        study_uid=study,
        tags={"ImageType": ["DERIVED", "SECONDARY", "MPR"]},
    )
    if with_original:
        write_series(tmp_path / "ct", random_volume(), study_uid=study)

    found = discover(tmp_path)

    assert len(found.series) == 1
    assert rules(found) == (["reformat"] if with_original else [])


def test_links_and_pipes_are_counted_not_followed(tmp_path: Path) -> None:
    """Nothing outside the folder is read, no loop is walked, no pipe is waited for."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    write_series(outside, random_volume())
    paths = write_series(inside, random_volume())
    (inside / "linked").symlink_to(outside, target_is_directory=True)
    (inside / "loop").symlink_to(inside, target_is_directory=True)
    (inside / "link.dcm").symlink_to(outside / "slice-0000.dcm")
    (inside / "again.dcm").symlink_to(paths[0])
    os.mkfifo(inside / "pipe.dcm")

    found = discover(inside)

    assert len(found.series) == 1
    assert sorted(found.ignored.values()) == [1, 4]


def test_hostile_identifiers_name_no_path(tmp_path: Path) -> None:
    """A PatientID or file id that looks like a path stays a word."""
    write_series(tmp_path, random_volume(), patient_id="../../../etc/passwd")

    (series,) = discover(tmp_path).series

    assert series.patient_id == "../../../etc/passwd"
    assert "etc" not in series.label + read_series(series).quality.line()


def test_a_folder_must_exist_and_jobs_mean_something(tmp_path: Path) -> None:
    """Wrong arguments are one sentence."""
    with pytest.raises(DataError, match="no such folder"):
        discover(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="jobs must be 1 or more"):
        discover(tmp_path, jobs=0)
    assert discover(tmp_path) == Discovery((), (), (), {})


def write_enhanced(
    path: Path, truth: np.ndarray[tuple[int, ...], np.dtype[np.float64]], phases: int = 1
) -> None:
    """Write one multi-frame CT; the frames of all phases stand in reverse order."""
    frames = []
    for phase in range(phases):
        for index in range(len(truth)):
            frame = Dataset()
            place, content = Dataset(), Dataset()
            place.ImagePositionPatient = decimals([-10.0, -20.0, 30.0 + 3.0 * index])
            content.TemporalPositionIndex = phase + 1
            frame.PlanePositionSequence = Sequence([place])
            frame.FrameContentSequence = Sequence([content])
            frames.append((frame, truth[index] + phase))
    frames.reverse()
    shared, orientation, measures, rescale = Dataset(), Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing = ["0.8", "0.7"]
    rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = 1, -1024, "HU"
    shared.PlaneOrientationSequence = Sequence([orientation])
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PixelValueTransformationSequence = Sequence([rescale])
    stored = np.stack([plane for _, plane in frames]) + 1024
    data = slice_dataset(stored[0].astype("<u2"), "CT")
    data.SOPClassUID = EnhancedCTImageStorage
    data.PatientID, data.StudyInstanceUID, data.SeriesInstanceUID = "P1", uid(), uid()
    data.FrameOfReferenceUID = uid()
    data.NumberOfFrames = len(frames)
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    data.PerFrameFunctionalGroupsSequence = Sequence([frame for frame, _ in frames])
    data.PixelData = stored.astype("<u2").tobytes()
    save(path, data)


@pytest.mark.parametrize("phases", [1, 2])
def test_an_enhanced_file_is_read_by_its_functional_groups(tmp_path: Path, phases: int) -> None:
    """Frames stand where their own group says; the phases of one file become volumes."""
    truth = random_volume()
    write_enhanced(tmp_path / "enhanced.dcm", truth, phases)

    found = discover(tmp_path)

    assert rules(found) == []
    assert len(found.series) == phases
    for phase, series in enumerate(found.series):
        image = read_series(series).image
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), truth + phase)
        np.testing.assert_allclose(image.GetOrigin(), (-10, -20, 30))
        np.testing.assert_allclose(image.GetSpacing(), (0.7, 0.8, 3.0))


def test_an_unreadable_file_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that the system will not open is listed; its series then lacks a slice."""
    paths = write_series(tmp_path, random_volume())
    opened = Path.open

    def denied(path: Path, *arguments: object, **options: object) -> object:
        if path == paths[2]:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", denied)

    found = discover(tmp_path)

    assert rules(found) == ["unreadable", "missing-slices"]
    assert found.refused[0].what == "slice-0002.dcm"
    assert "Permission denied" in found.refused[0].reason


@pytest.mark.parametrize("library", ["pydicom", "SimpleITK"])
def test_a_missing_library_is_one_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """The imaging extra is optional; who needs it is told how to get it."""
    write_series(tmp_path, random_volume())
    found = discover(tmp_path)
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(MissingExtraError, match=rf"{library}: pip install 'survkit-core\[imag"):
        read_series((found if library == "SimpleITK" else discover(tmp_path)).series[0])
