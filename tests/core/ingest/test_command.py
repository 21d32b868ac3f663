"""``survkit ingest`` on the command line: what it says and returns."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import pytest
import yaml
from tests.core.dicom.writer import PLANTED
from tests.core.ingest.archive import rows_of, write_patient, write_table

from survkit.cli import main
from survkit.ingest.layouts import CXR_FOLDER, HANNOVER, HECKTOR
from survkit.ingest.settings import Layout


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return an archive of one sound and one broken patient."""
    write_patient(tmp_path / "dicom" / "a", "A", region="GTV-1", pet=True)
    write_patient(tmp_path / "dicom" / "b", "B", drop=[2])
    return tmp_path / "dicom"


def test_a_cohort_and_its_summary(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0, counts by rule, the path of the cohort file; then the cohort is checked."""
    rows = [
        {"case": name, "months": "7", "status": str(code), "age": "60", "sex": "m"}
        for code, name in enumerate("AB", start=1)
    ]
    table = write_table(tmp_path / "t.csv", rows)
    out = tmp_path / "cohort"
    words = ["ingest", str(source), "--table", str(table), "--out", str(out), "--subject", "case"]
    words += ["--duration", "months", "--event", "status", "--unit", "months"]
    words += ["--causes", "1=death,2=relapse", "--columns", "age,sex", "--modality", "CT,PT"]

    code = main([*words, "--roi", "GTV-1"])

    printed = capsys.readouterr()
    assert code == 0
    assert printed.err == ""
    assert printed.out.splitlines() == [
        "1 of 2 subjects: 1 ct_path, 1 ct_gtv_1, 1 pet_path",
        f"refused: 2 no-series, 1 missing-slices; each with its reason in {out / 'refused.csv'}",
        "not asked for, or set aside as no volume: 1, in the same file",
        str(out / "cohort.yaml"),
    ]
    content = yaml.safe_load((out / "cohort.yaml").read_text())
    assert content["outcome"]["causes"] == {1: "death", 2: "relapse"}
    assert content["modalities"]["clinical"] == {"kind": "table", "columns": ["age", "sex"]}
    assert main(["cohort", "check", str(out / "cohort.yaml")]) == 0
    assert main([*words, "--overwrite", "--quiet"]) == 0
    capsys.readouterr()
    assert not any(value in str(rows_of(out / "refused.csv")) for value in PLANTED.values())


def test_a_real_series_from_folder_to_checked_cohort(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The public abdominal CT by ``survkit ingest``, then ``survkit cohort check``: no error."""
    rows = [{"patient_id": "CRLM-CT-1004", "duration": "500", "event": "1"}]
    table = write_table(tmp_path / "t.csv", rows)
    out = tmp_path / "cohort"

    words = [str(shared_data / "ct-dicom-crlm"), "--table", str(table), "--out", str(out)]
    assert main(["ingest", *words]) == 0
    assert main(["cohort", "check", str(out / "cohort.yaml")]) == 0

    printed = capsys.readouterr().out
    assert "1 of 1 subjects: 1 ct_path" in printed
    assert "0 errors" in printed


def test_a_modality_name_that_is_taken_is_refused_before_the_work(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cohort file whose table is called ct."""
    table = write_table(tmp_path / "t.csv", ["A"])
    (tmp_path / "old.yaml").write_text(
        "name: old\ntable: t.csv\nsubject: id\n"
        "outcome: {duration: duration, unit: days, event: event, causes: {1: death}}\n"
        "modalities:\n  ct: {kind: table, columns: [age]}\n"
    )
    words = ["ingest", str(source), "--table", str(table), "--out", str(tmp_path / "cohort")]

    assert main([*words, "--outcome", str(tmp_path / "old.yaml")]) == 2
    assert "the modality 'ct' is made of images" in capsys.readouterr().err
    assert not list(tmp_path.glob(".cohort*"))


def test_the_outcome_of_an_existing_cohort_file(source: Path, tmp_path: Path) -> None:
    """Outcome, site and columns come from it; modalities in files of their own are left out."""
    rows = [{"id": "A", "t": "5", "e": "dead", "hospital": "x", "age": "60"}]
    table = write_table(tmp_path / "t.csv", rows)
    (tmp_path / "old.yaml").write_text(
        "name: old\ntable: t.csv\nsubject: id\nsite: hospital\n"
        "outcome: {duration: t, unit: years, event: e, causes: {dead: death}, censored: alive}\n"
        "modalities:\n  clinical: {kind: table, columns: [age]}\n"
        "  blood: {kind: table, file: blood.csv}\n  ct: {kind: volume, path: ct_file}\n"
    )
    out = tmp_path / "cohort"
    words = ["ingest", str(source), "--table", str(table), "--out", str(out), "--subject", "id"]

    assert main([*words, "--outcome", str(tmp_path / "old.yaml"), "--quiet"]) == 0

    content = yaml.safe_load((out / "cohort.yaml").read_text())
    assert content["site"] == "hospital"
    assert content["outcome"]["censored"] == "alive"
    assert set(content["modalities"]) == {"ct", "clinical"}
    assert '"blood"' in (out / "ingest.json").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--unit", "weeks"], "unit"),
        (["--series", "thickest"], "no series rule is 'thickest'"),
        (["--modality", "CT,XX"], "no modality is 'XX'"),
        (["--causes", "death"], "--causes must look like 1=death"),
        (["--paper"], "--paper belongs to --layout tcia-lung1"),
        (["--jobs", "0"], "jobs must be 1 or more"),
        (["--resume"], "no interrupted ingest to resume"),
        (["--key", "none.csv"], "none.csv: there is no such file"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    source: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    """And nothing is written."""
    table = write_table(tmp_path / "t.csv", ["A", "B"])
    out = tmp_path / "cohort"

    code = main(["ingest", str(source), "--table", str(table), "--out", str(out), *words])

    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()
    assert not list(tmp_path.glob(".cohort*"))


def test_an_interruption_says_how_to_go_on(
    source: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit code 130; --resume finishes."""
    import survkit.ingest.run as module

    table = write_table(tmp_path / "t.csv", ["A"])
    words = ["ingest", str(source), "--table", str(table), "--out", str(tmp_path / "cohort")]

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "convert", stop)
        assert main(words) == 130
    assert "go on with the same command and --resume" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 0


def test_the_help_names_every_layout_and_kind_of_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of DICOM series, and those of NIfTI files and radiographs."""
    monkeypatch.setenv("COLUMNS", "200")

    assert main(["ingest", "--help"]) == 0

    shown = capsys.readouterr().out
    named = [*get_args(Layout), HECKTOR, HANNOVER, CXR_FOLDER, "DICOM", "NIfTI", "radiographs"]
    assert [name for name in named if name not in shown] == []


@pytest.mark.slow
def test_a_killed_ingest_goes_on(tmp_path: Path) -> None:
    """SIGKILL amid two processes' work; --resume gives the bytes of an undisturbed run."""
    patients = [f"P{number:02d}" for number in range(30)]
    for seed, patient in enumerate(patients):
        write_patient(tmp_path / "dicom" / patient, patient, seed=seed, region="GTV-1")
    table = write_table(tmp_path / "t.csv", patients)
    words = [sys.executable, "-m", "survkit", "ingest", str(tmp_path / "dicom"), "--table"]
    words += [str(table), "--roi", "GTV-1", "--jobs", "2", "--out"]
    out, marks = tmp_path / "cohort", tmp_path / ".cohort.unfinished" / "finished"

    run = subprocess.Popen([*words, str(out)], start_new_session=True)
    while run.poll() is None and len(list(marks.glob("*.json"))) < 4:
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    kept = len(list(marks.glob("*.json")))
    subprocess.run([*words, str(out), "--resume"], check=True)
    subprocess.run([*words, str(tmp_path / "calm" / "cohort")], check=True)

    assert 4 <= kept < 30
    calm = tmp_path / "calm" / "cohort"
    files = sorted(path.relative_to(calm) for path in calm.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert [name for name in files if (calm / name).read_bytes() != (out / name).read_bytes()] == []
