"""The commands and examples of docs/dicom.md, run as they stand on a small synthetic archive."""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.core.dicom.writer import uid
from tests.core.ingest.archive import rows_of, write_patient, write_table
from tests.core.ingest.test_lung1 import published_rows, write_collection

from survkit.cli import main
from survkit.dicom.suv import LEAST_DOSE, MOST_HALF_LIVES, MOST_WEIGHT

PAGE = (Path(__file__).parents[2] / "docs" / "dicom.md").read_text(encoding="utf-8")
RADIOGRAPHS = (Path(__file__).parents[2] / "docs" / "cxr.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the page's commands were run, in one process."""
    folder = tmp_path_factory.mktemp("dicom-page")
    study = uid()
    write_patient(folder / "dicom/P1", "P1", region="GTV-1", pet=True, study_uid=study)
    write_patient(folder / "dicom/P2", "P2", region="GTV-1")
    write_patient(folder / "dicom/P3", "P3", drop=[2])
    rows = [
        {"patient_id": name, "time_days": "400", "dead": str(k % 2), "age": str(60 + k), "sex": "m"}
        for k, name in enumerate(("P1", "P2", "P3"))
    ]
    write_table(folder / "clinical.csv", rows)
    patients = ["LUNG1-001", "LUNG1-002", "LUNG1-014"]
    write_collection(folder, patients)
    write_table(folder / "lung1.csv", published_rows(patients))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in "".join(blocks("bash")).splitlines():
            assert main(shlex.split(line)[1:]) == 0, line
    return folder


def test_the_commands_write_what_the_page_names(folder: Path) -> None:
    """All files of the page's table, with their columns."""
    named = re.findall(r"^\| `([a-z]+\.(?:yaml|csv|json))` \|", PAGE, flags=re.MULTILINE)
    rows = rows_of(folder / "cohort/table.csv")

    assert set(named) == {path.name for path in (folder / "cohort").iterdir()} - {"images"}
    assert [row["patient_id"] for row in rows] == ["P1", "P2"]
    assert {"ct_path", "pet_path", "ct_gtv_1"} <= set(rows[0])
    assert {path.name for path in (folder / "cohort/images/P1").iterdir()} == {
        "ct.nii.gz", "ct_gtv_1.nii.gz", "pet.nii.gz",
    }  # fmt: skip
    with (folder / "cohort/refused.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["subject", "what", "rule", "reason", "files"]


def test_the_collection_of_the_page(folder: Path) -> None:
    """LUNG1 without the case of the seven that is there."""
    assert [row["PatientID"] for row in rows_of(folder / "lung1/table.csv")] == [
        "LUNG1-001",
        "LUNG1-002",
    ]


def test_the_python_example_runs(folder: Path) -> None:
    """A quality line, the region's voxels, and what was refused."""
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[0]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )

    assert done.returncode == 0, done.stderr
    assert "CT, 5 slices, 3 x 0.8 x 0.7 mm (z, y, x), LPS" in done.stdout
    assert "(5, 12, 14) 108 voxels" in done.stdout
    assert "missing-slices" in done.stdout


def test_every_rule_of_an_ingest_is_on_the_page() -> None:
    """A rule that the code gives is explained, here or beside the radiographs, and the limits are
    the code's.
    """
    source = Path(__file__).parents[2] / "survkit-core" / "src" / "survkit" / "ingest"
    text = "".join(path.read_text(encoding="utf-8") for path in source.glob("*.py"))
    prefixes = "no|ambiguous|undated|unsafe|other|not"
    rules = set(re.findall(rf'"((?:{prefixes})-[a-z]+(?:-[a-z]+)?)"', text))

    assert {"no-table-row", "ambiguous-region", "unsafe-id"} < rules
    assert [rule for rule in sorted(rules) if f"`{rule}`" not in PAGE + RADIOGRAPHS] == []
    assert f"below {LEAST_DOSE / 1000:g} kBq" in PAGE
    assert f"above {MOST_WEIGHT:g} kg" in PAGE
    assert f"more than {MOST_HALF_LIVES:g} half-lives" in PAGE
