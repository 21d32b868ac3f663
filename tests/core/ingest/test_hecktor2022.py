"""The challenge's folder of NIfTI files: nothing is copied, nothing is written into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tests.core.ingest.archive import rows_of, rules_of, write_table

from survkit.cli import main
from survkit.data.check import check_cohort
from survkit.data.cohort import Cohort
from survkit.errors import ConfigError, DataError, RunError
from survkit.ingest import Running, ingest_hecktor2022
from survkit.ingest.hecktor2022 import CLINICAL, ENDPOINT

sitk = pytest.importorskip("SimpleITK")

CASES = ("CHUM-001", "CHUP-002", "MDA-003", "HMR-004")


def image(shape: tuple[int, ...], spacing: tuple[float, ...], values: Any) -> Any:
    """Return an image whose grid is centred on the origin; shape and spacing as (z, y, x)."""
    made = sitk.GetImageFromArray(np.broadcast_to(values, shape).copy())
    made.SetSpacing(spacing[::-1])
    corner = [-(n - 1) * step / 2 for n, step in zip(shape, spacing, strict=True)]
    made.SetOrigin(corner[::-1])
    return made


def write_case(folder: Path, case: str, seed: int, *, label: str = "ct", name: str = "") -> None:
    """Write CT, PET and the label on the grid of one of them."""
    random = np.random.default_rng(seed)
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    grids = {"ct": ((10, 24, 24), (3.0, 1.5, 1.5)), "pet": ((12, 14, 14), (3.3, 4.0, 4.0))}
    ct = random.integers(-1000, 1000, grids["ct"][0]).astype(np.int16)
    pet = random.gamma(2.0, 1.0, grids["pet"][0]).astype(np.float32)
    sitk.WriteImage(image(*grids["ct"], ct), str(folder / "imagesTr" / f"{case}__CT.nii.gz"))
    sitk.WriteImage(image(*grids["pet"], pet), str(folder / "imagesTr" / f"{case}__PT.nii.gz"))
    shape = grids[label][0]
    mask = np.zeros(shape, np.uint8)
    mask[4:6, shape[1] // 2 - 1 : shape[1] // 2 + 2, 6:9] = 1
    mask[6, shape[1] // 2, 7] = 2
    path = folder / "labelsTr" / f"{name or case}.nii.gz"
    sitk.WriteImage(image(shape, grids[label][1], mask), str(path))


def write_tables(folder: Path, cases: tuple[str, ...] = CASES, endpoint: int = 3) -> None:
    """Write both tables; the last case belongs to task 1 alone."""
    clinical = [
        {
            "PatientID": case, "Task 1": "1", "Task 2": str(int(k < endpoint)),
            "CenterID": str(k + 1), "Gender": "M", "Age": str(50 + k), "Weight": "",
            "Tobacco": "", "Alcohol": "1", "Performance status": "0",
            "HPV status (0=-, 1=+)": "1", "Surgery": "0", "Chemotherapy": "1",
        }
        for k, case in enumerate(cases)
    ]  # fmt: skip
    write_table(folder / CLINICAL, clinical)
    outcomes = [
        {"PatientID": case, "Relapse": str(k % 2), "RFS": str(400 + 100 * k)}
        for k, case in enumerate(cases[:endpoint])
    ]
    write_table(folder / ENDPOINT, outcomes)


@pytest.fixture
def challenge(tmp_path: Path) -> Path:
    """Return a folder with four cases, three of them of task 2."""
    folder = tmp_path / "hecktor2022_training"
    for seed, case in enumerate(CASES):
        write_case(folder, case, seed, name="CHUP_002" if case == "CHUP-002" else "")
    write_tables(folder)
    return folder


def test_the_cohort_names_the_files_where_they_lie(challenge: Path, tmp_path: Path) -> None:
    """Recurrence-free survival in days, site by centre, the paper's box round both labels."""
    before = sorted((path, path.stat().st_mtime_ns) for path in challenge.rglob("*"))
    found = ingest_hecktor2022(challenge, tmp_path / "cohort")

    assert found.subjects == CASES[:3]
    assert found.files == {"ct_path": 3, "pet_path": 3, "ct_gtv": 3}
    assert sorted((path, path.stat().st_mtime_ns) for path in challenge.rglob("*")) == before
    rows = rows_of(tmp_path / "cohort" / "table.csv")
    assert rows[1]["ct_path"] == "../hecktor2022_training/imagesTr/CHUP-002__CT.nii.gz"
    assert rows[1]["ct_gtv"] == "../hecktor2022_training/labelsTr/CHUP_002.nii.gz"
    content = yaml.safe_load((tmp_path / "cohort" / "cohort.yaml").read_text())
    assert content["outcome"] == {
        "duration": "RFS", "unit": "days", "event": "Relapse", "causes": {1: "relapse"},
    }  # fmt: skip
    assert content["site"] == "CenterID"
    assert content["modalities"]["ct"] == {
        "kind": "volume", "path": "ct_path", "mask": "ct_gtv", "window": [-250, 250],
        "spacing": [1, 1, 1], "size": [128, 128, 128], "crop": "mask",
    }  # fmt: skip
    assert content["modalities"]["pet"]["grid"] == "ct"
    assert "HPV status (0=-, 1=+)" in content["modalities"]["clinical"]["columns"]
    assert rules_of(tmp_path / "cohort") == [("HMR-004", "no-endpoint")]
    cohort = Cohort.read(tmp_path / "cohort" / "cohort.yaml")
    assert cohort.outcome is not None
    assert cohort.outcome.duration.tolist() == [400.0, 500.0, 600.0]
    assert cohort.site == ("1", "2", "3")
    sample = cohort.read_sample("ct", 0, cohort.input_spec("ct", [0]))
    assert sample is not None
    assert sample.mask is not None
    assert float(sample.mask.sum()) == pytest.approx((18 + 1) * 3.0 * 1.5 * 1.5, rel=0.3)
    problems = check_cohort(tmp_path / "cohort" / "cohort.yaml")
    assert [p.message for p in problems if p.severity == "error"] == []


def test_what_is_wrong_with_a_case_stands_in_the_list(challenge: Path, tmp_path: Path) -> None:
    """A missing PET and a label on another grid leave the rest of the case."""
    (challenge / "imagesTr" / "CHUM-001__PT.nii.gz").unlink()
    write_case(challenge, "MDA-003", 7, label="pet")
    other = image((10, 24, 24), (3.0, 1.5, 1.6), np.ones((10, 24, 24), np.uint8))
    sitk.WriteImage(other, str(challenge / "labelsTr" / "CHUP_002.nii.gz"))
    found = ingest_hecktor2022(challenge, tmp_path / "cohort")

    assert found.files == {"ct_path": 3, "pet_path": 2, "ct_gtv": 1, "pet_gtv": 1}
    assert rules_of(tmp_path / "cohort") == [
        ("CHUM-001", "no-images"), ("CHUP-002", "region"), ("HMR-004", "no-endpoint"),
    ]  # fmt: skip
    reasons = {row["rule"]: row["reason"] for row in rows_of(tmp_path / "cohort" / "refused.csv")}
    assert "the mask's spacing (1.6, 1.5, 3) is not the image's (1.5, 1.5, 3)" in reasons["region"]


@pytest.mark.parametrize(
    ("change", "message"),
    [("value", r"a label is 0, 1 \(GTVp\) or 2 \(GTVn\), not 3"), ("empty", "the label is empty")],
)
def test_a_wrong_label_is_refused(
    challenge: Path, tmp_path: Path, change: str, message: str
) -> None:
    """Other values than the challenge's, or none."""
    path = str(challenge / "labelsTr" / "CHUM-001.nii.gz")
    label = sitk.ReadImage(path)
    sitk.WriteImage(label * 3 if change == "value" else label * 0, path)
    ingest_hecktor2022(challenge, tmp_path / "cohort")

    rows = rows_of(tmp_path / "cohort" / "refused.csv")
    reason = next(row["reason"] for row in rows if row["rule"] == "region")
    assert reason.startswith(message.replace("\\", ""))


def test_a_label_outside_the_pet_is_refused(challenge: Path, tmp_path: Path) -> None:
    """The PET of another place would be cut where it shows nothing."""
    path = str(challenge / "imagesTr" / "CHUM-001__PT.nii.gz")
    pet = sitk.ReadImage(path)
    pet.SetOrigin((500.0, 0.0, 0.0))
    sitk.WriteImage(pet, path)
    ingest_hecktor2022(challenge, tmp_path / "cohort")

    rows = rows_of(tmp_path / "cohort" / "refused.csv")
    reason = next(row["reason"] for row in rows if row["rule"] == "region")
    assert reason.startswith("100% of the label lies outside an image of the case, which covers x")


def test_folders_and_tables_that_do_not_fit_are_refused(challenge: Path, tmp_path: Path) -> None:
    """In the folder itself, without a column, without a usable case, with nothing to resume."""
    with pytest.raises(RunError, match="lies in"):
        ingest_hecktor2022(challenge, challenge / "cohort")
    with pytest.raises(ConfigError, match="nothing to resume"):
        ingest_hecktor2022(challenge, tmp_path / "c", running=Running(resume=True))
    with pytest.raises(ConfigError, match="jobs must be 1 or more"):
        ingest_hecktor2022(challenge, tmp_path / "c", running=Running(jobs=0))
    for path in (challenge / "imagesTr").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"no subject of .* has a usable image"):
        ingest_hecktor2022(challenge, tmp_path / "c")
    (challenge / ENDPOINT).write_text("PatientID,Relapse\nCHUM-001,1\n")
    with pytest.raises(ConfigError, match="there is no column 'RFS'"):
        ingest_hecktor2022(challenge, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_the_command(challenge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two names suffice; options of DICOM are refused."""
    out = str(tmp_path / "cohort")
    common = ["ingest", str(challenge), "--layout", "hecktor2022", "--out", out]
    assert main([*common, "--roi", "GTVp"]) == 2
    assert "leave the other options away" in capsys.readouterr().err
    assert main(common) == 0
    shown = capsys.readouterr().out
    assert "3 of 3 subjects: 3 ct_path, 3 pet_path, 3 ct_gtv" in shown
    assert main(["ingest", str(challenge), "--out", f"{out}2"]) == 2
    assert "give --table" in capsys.readouterr().err
    assert main(["ingest", str(challenge), "--layout", "hecktor22", "--out", f"{out}2"]) == 2
    assert "'hecktor22'. Did you mean 'hecktor2022'" in capsys.readouterr().err


@pytest.mark.slow
def test_several_processes_give_the_same_cohort(challenge: Path, tmp_path: Path) -> None:
    """Files and their order do not depend on who checks them."""
    for jobs in (1, 2):
        ingest_hecktor2022(challenge, tmp_path / f"c{jobs}", running=Running(jobs=jobs))

    for name in ("table.csv", "quality.csv", "refused.csv"):
        one, two = ((tmp_path / f"c{jobs}" / name).read_bytes() for jobs in (1, 2))
        assert one == two
