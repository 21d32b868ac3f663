"""No name, birth date, date, UID or other identifier of the files reaches any output."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.core.dicom.mask_writer import write_structures
from tests.core.dicom.writer import random_volume, uid, write_series
from tests.core.ingest.archive import rows_of, run_ingest, write_patient, write_table

from survkit.errors import DataError
from survkit.ingest.scrub import Scrub

SECRETS = ("ZEBEDEE", "QUARTERMAIN", "19330303", "ACC-77123", "SAINT ELSEWHERE", "20010203")
TAGS = {
    "PatientName": "QUARTERMAIN^ZEBEDEE",
    "PatientBirthDate": "19330303",
    "AccessionNumber": "ACC-77123",
    "InstitutionName": "SAINT ELSEWHERE",
    "StudyDate": "20010203",
    "SeriesDate": "20010203",
    "SeriesDescription": "CHEST QUARTERMAIN",
    "OtherPatientIDs": "MRN-5550123",
}
FOLDER = "QUARTERMAIN_ZEBEDEE/20010203_ACC-77123"


def messy(source: Path, patient: str) -> None:
    """Write a patient with folders and files named by identifiers, sound and broken ones."""
    options: dict[str, Any] = {"patient_id": patient, "tags": TAGS}
    study, frame = uid(), uid()
    place = source / FOLDER / study
    write_series(place / uid(), random_volume(), study_uid=study, frame_uid=frame, **options)
    write_series(place / "MRN-5550123", random_volume(seed=1), drop=[2], **options)
    pet: dict[str, Any] = {"modality": "PT", "intercept": 0.0, "study_uid": study}
    no_weight = options | {"tags": TAGS | {"PatientWeight": None}}
    write_series(place / "pet", random_volume() + 1000, **pet, **no_weight)
    write_structures(
        place / "QUARTERMAIN.dcm", {"GTV-1": []}, patient_id=patient, frame_uid=frame,
        series_uid=None, tags=TAGS,
    )  # fmt: skip
    write_structures(place / f"{uid()}.dcm", {"GTV-1": []}, patient_id=patient, tags=TAGS)
    (place / "ZEBEDEE-broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\x08\0\x05\0CS")


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the names and bytes of all files, unpacked."""
    for path in folder.rglob("*"):
        yield str(path.relative_to(folder)), b""
        if path.is_file():
            content = path.read_bytes()
            yield path.name, gzip.decompress(content) if path.suffix == ".gz" else content


def assert_clean(folder: Path, source: Path, more: tuple[str, ...] = ()) -> None:
    """Assert that no byte of a folder tells an identifier of the source."""
    found = 0
    uids = {
        part for path in source.rglob("*") for part in re.findall(r"\d+(?:\.\d+){4,}", str(path))
    }
    assert len(uids) >= 3
    for name, content in contents(folder):
        found += 1
        for secret in (*SECRETS, *more, *uids, *(each[-6:] for each in uids), "5550123"):
            assert secret.encode() not in content, (name, secret)
            assert secret not in name
    assert found > 5


def test_identifiers_in_tags_and_folder_names_stay_inside(tmp_path: Path) -> None:
    """All output files of two patients, of whom one is not in the table."""
    source, out = tmp_path / "dicom", tmp_path / "cohort"
    messy(source / "1", "P-0001")
    messy(source / "2", "HIDDEN-0002")
    table = write_table(tmp_path / "t.csv", ["P-0001"])

    run_ingest(source, table, out, modalities=("CT", "PT"), rois=("GTV-1",))

    assert_clean(out, source, ("HIDDEN-0002", "HIDDEN"))
    refused = rows_of(out / "refused.csv")
    assert {(row["subject"], row["rule"]) for row in refused} >= {
        ("P-0001", "suv"), ("P-0001", "missing-slices"), ("P-0001", "region"),
        ("P-0001", "other-series"), ("", "no-table-row"),
    }  # fmt: skip
    shown = {row["what"] for row in refused}
    assert "CT series 1 (4 files in '1/*_*/*_*/*/*')" in shown, "it is still to be found"


def test_an_interrupted_ingest_keeps_no_identifier_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hidden folder that waits for --resume is an output too."""
    source = tmp_path / "dicom"
    messy(source / "1", "P-0001")
    write_patient(source / "2", "P-0002")
    import survkit.ingest.run as module

    real, done = module.convert, []

    def interrupted(case: Any, *rest: Any) -> Any:
        if done:
            raise KeyboardInterrupt
        done.append(case)
        return real(case, *rest)

    monkeypatch.setattr(module, "convert", interrupted)
    table = write_table(tmp_path / "t.csv", ["P-0001", "P-0002"])
    with pytest.raises(KeyboardInterrupt):
        run_ingest(source, table, tmp_path / "cohort", modalities=("CT", "PT"), rois=("GTV-1",))

    assert_clean(tmp_path / ".cohort.unfinished", source)


def test_error_messages_hold_no_identifier(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody usable: the one line that says why names no patient; nothing else is printed."""
    source = tmp_path / "dicom"
    messy(source, "HIDDEN-0002")
    table = write_table(tmp_path / "t.csv", ["P-0001"])

    with pytest.raises(DataError, match=r"no subject of .* has a usable image") as caught:
        run_ingest(source, table, tmp_path / "cohort")

    printed = "".join(capfd.readouterr())
    for secret in (*SECRETS, "HIDDEN"):
        assert secret not in str(caught.value).replace(str(source), "")
        assert secret not in printed


def test_a_key_table_hides_the_patient_id(tmp_path: Path) -> None:
    """The table has ids of its own; the PatientID stands nowhere."""
    source, out = tmp_path / "dicom", tmp_path / "cohort"
    messy(source / "HIDDEN-0002", "HIDDEN-0002")
    table = write_table(tmp_path / "t.csv", ["subject-7"])
    (tmp_path / "key.csv").write_text("PatientID,subject\nHIDDEN-0002,subject-7\n")

    found = run_ingest(source, table, out, key=tmp_path / "key.csv")

    assert found.subjects == ("subject-7",)
    assert_clean(out, source, ("HIDDEN-0002",))


def test_pseudonyms_depend_on_the_key_and_on_nothing_else(tmp_path: Path) -> None:
    """Equal keys, equal pseudonyms; another key, others; the PatientID stands nowhere."""
    source = tmp_path / "dicom"
    messy(source, "HIDDEN-0002")
    table = write_table(tmp_path / "t.csv", ["HIDDEN-0002", "P-0001"])
    for name in ("one", "two"):
        (tmp_path / f"{name}.key").write_text(f"{name} secret of thirty-two letters")

    subjects = [
        run_ingest(source, table, tmp_path / out, secret=tmp_path / f"{key}.key").subjects
        for out, key in (("a", "one"), ("b", "one"), ("c", "two"))
    ]

    assert subjects[0] == subjects[1] != subjects[2]
    assert re.fullmatch(r"S-[0-9a-f]{12}", subjects[0][0])
    for out in "abc":
        assert_clean(tmp_path / out, source, ("HIDDEN-0002", "P-0001"))


def test_pseudonyms_refuse_a_table_that_tells_the_patient(tmp_path: Path) -> None:
    """A second column with the id, and a key that can be guessed."""
    row = {"patient_id": "P-0001", "duration": "1", "event": "1", "note": "scan of P-0001"}
    table = write_table(tmp_path / "t.csv", [row])
    key = tmp_path / "key"
    key.write_text("a secret of thirty-two letters..")
    (tmp_path / "short").write_text("1234")

    with pytest.raises(DataError, match="row 2 repeats the patient's id in column 'note'"):
        run_ingest(tmp_path, table, tmp_path / "cohort", secret=key)
    with pytest.raises(DataError, match="at least 16 bytes, this one 4"):
        run_ingest(tmp_path, table, tmp_path / "cohort", secret=tmp_path / "short")


def test_scrubbing_hides_words_and_leaves_sentences() -> None:
    """Names, dates and UIDs in paths; not the subject's id, not a part of another word."""
    scrub = Scrub({"DOE^JANE", "A-17"}, allowed=["A-17", "LUNG1-001"])

    assert scrub("CT in 'LUNG1-001/02-18-2019-Doe_jane/1.2.840.113.7.9/x'") == (
        "CT in 'LUNG1-001/*-*_*/*/x'"
    )
    assert scrub("A-17: one of 3 series; the does of 2019") == (
        "A-17: one of 3 series; the does of 2019"
    )
    assert scrub("20190218/2019-02-18/12345678901234") == "*/*/12345678901234"


def test_scrubbing_keeps_its_pace_with_many_patients() -> None:
    """20,000 secrets cost no more per text than 20."""
    text = "CT series 2 (120 files in 'archive/4711/0815'): a slice is missing after slice 17; " * 4
    seconds = []
    for count in (20, 20_000):
        scrub = Scrub(f"FAMILY{number}^GIVEN{number}" for number in range(count))
        start = time.process_time()
        shown = [scrub(text) for _ in range(300)]
        seconds.append(time.process_time() - start)
        assert shown == [text] * 300

    assert seconds[1] < 5 * seconds[0] + 0.05


@pytest.mark.filterwarnings("ignore:.*VR:UserWarning")  # while the files are written
def test_nothing_is_printed_or_logged(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Warnings and logs of libraries show values of tags: an odd UID holds a name here."""
    messy(tmp_path / "dicom", "P-0001")
    odd: dict[str, Any] = {"patient_id": "P-0002", "frame_uid": "1.2.QUARTERMAIN", "tags": TAGS}
    write_series(tmp_path / "dicom" / "odd", random_volume(), **odd)
    table = write_table(tmp_path / "t.csv", ["P-0001", "P-0002"])
    caplog.clear()

    found = run_ingest(tmp_path / "dicom", table, tmp_path / "cohort")

    assert found.subjects == ("P-0001", "P-0002")
    assert "".join(capfd.readouterr()) == ""
    assert caplog.text == ""
