"""``survkit cohort`` and ``survkit prepare``: what they print, write and return."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from survkit.cli import main
from survkit.data import Cohort, Splits


@pytest.fixture
def cohort_file(tmp_path: Path) -> Path:
    """Return a cohort of 30 subjects without errors."""
    lines = ["patient_id,time_days,event,age"]
    lines += [f"p{k:02d},{500 + 7 * k},{k % 2},{k * 7919 % 50}" for k in range(30)]
    (tmp_path / "patients.csv").write_text("\n".join(lines) + "\n")
    config = {
        "name": "thirty",
        "table": "patients.csv",
        "subject": "patient_id",
        "outcome": {
            "duration": "time_days", "unit": "days", "event": "event", "causes": {1: "death"},
        },
        "modalities": {"clinical": {"kind": "table", "columns": ["age"]}},
    }  # fmt: skip
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(config))
    return tmp_path / "cohort.yaml"


def spoil(cohort_file: Path) -> None:
    """Give two subjects impossible durations."""
    table = cohort_file.with_name("patients.csv")
    table.write_text(table.read_text().replace("p03,521", "p03,-1").replace("p07,549", "p07,"))


def test_a_clean_cohort_exits_with_0(cohort_file: Path, capsys: Any) -> None:
    """The counts are the last line."""
    assert main(["cohort", "check", str(cohort_file)]) == 0
    assert capsys.readouterr().out.endswith("0 errors, 0 warnings\n")


def test_a_clean_cohort_is_summed_up(cohort_file: Path, capsys: Any) -> None:
    """Subjects, events, follow-up and who has what, before anything trains.

    The odd ones die, so the reverse Kaplan–Meier falls at every second subject of those left.
    """
    share, median = 1.0, 0
    for k in range(0, 30, 2):
        share *= 1 - 1 / (30 - k)
        median = median or (500 + 7 * k if share <= 0.5 else 0)
    main(["cohort", "check", str(cohort_file)])
    shown = " ".join(capsys.readouterr().out.split())

    assert shown.startswith(
        "thirty: 30 subjects, 15 death, 15 censored; durations 500 to 703 days, "
        f"median follow-up {median} (reverse Kaplan–Meier)"
    )
    assert "clinical table 30 of 30" in shown


def test_a_problem_of_many_rows_is_one_line(cohort_file: Path, capsys: Any) -> None:
    """A code that was declared wrongly is one thing to correct, not fifteen."""
    table = cohort_file.with_name("patients.csv")
    table.write_text(table.read_text().replace(",1,", ",9,"))

    assert main(["cohort", "check", str(cohort_file)]) == 2
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.count("unknown event code 9") == 1
    assert "3, 5, 7, …" in shown
    assert "(15 such rows; --json lists all)" in shown
    main(["cohort", "check", str(cohort_file), "--json"])
    listed = [entry["row"] for entry in json.loads(capsys.readouterr().out)]
    assert [row for row in listed if row is not None] == list(range(3, 33, 2))


def test_subjects_of_a_side_file_that_nobody_knows_are_named(
    cohort_file: Path, capsys: Any
) -> None:
    """Identifiers that are written in two ways would lose a modality without a word."""
    lines = ["patient_id,crp"] + [f"p{k:02d},{k}" for k in range(20)] + ["P20,1", "P21,2"]
    cohort_file.with_name("blood.csv").write_text("\n".join(lines) + "\n")
    config = yaml.safe_load(cohort_file.read_text())
    config["modalities"]["blood"] = {"kind": "table", "file": "blood.csv"}
    cohort_file.write_text(yaml.safe_dump(config))

    assert main(["cohort", "check", str(cohort_file)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "2 of 22 subjects of blood.csv are not in the cohort ('P20', 'P21')" in shown
    assert "blood table 20 of 30" in shown


def test_errors_exit_with_2_and_are_a_table(cohort_file: Path, capsys: Any) -> None:
    """Row, subject and column stand beside the message."""
    spoil(cohort_file)

    assert main(["cohort", "check", str(cohort_file)]) == 2
    shown = " ".join(capsys.readouterr().out.split())
    assert "error 5 p03 time_days a duration must be > 0, but is -1" in shown
    assert "error 9 p07 time_days a duration is missing" in shown
    assert shown.endswith("2 errors, 0 warnings")


def test_json_is_for_programs(cohort_file: Path, capsys: Any) -> None:
    """The same problems as data."""
    spoil(cohort_file)
    main(["cohort", "check", str(cohort_file), "--json"])

    assert [entry["row"] for entry in json.loads(capsys.readouterr().out)] == [5, 9]


def test_what_is_dropped_is_written_with_its_reason(cohort_file: Path, capsys: Any) -> None:
    """The kept table is a clean cohort; every row left out is in the file beside it."""
    spoil(cohort_file)
    kept = cohort_file.with_name("kept.csv")

    assert main(["cohort", "check", str(cohort_file), "--drop-invalid", str(kept)]) == 0
    assert "28 rows kept" in capsys.readouterr().out
    with kept.with_name("kept.dropped.csv").open(newline="") as file:
        dropped = list(csv.DictReader(file))
    assert [(entry["row"], entry["subject"]) for entry in dropped] == [("5", "p03"), ("9", "p07")]
    assert dropped[0]["reasons"] == "time_days: a duration must be > 0, but is -1"
    assert main(["cohort", "check", str(cohort_file), "--table", str(kept)]) == 0
    assert len(Cohort.read(cohort_file, table=kept)) == 28
    before = kept.read_bytes()
    assert main(["cohort", "check", str(cohort_file), "--drop-invalid", str(kept)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert kept.read_bytes() == before


def test_hancock_keeps_those_with_a_known_cause(
    shared_data: Path, cohort_file: Path, capsys: Any
) -> None:
    """Of 497 patients six died of an unknown cause; the other 491 make a competing-risks cohort."""
    config = yaml.safe_load(cohort_file.read_text())
    config |= {"table": "clinical.csv"}
    config["outcome"] |= {"event": "cr_event", "causes": {1: "tumour", 2: "other"}}
    config["modalities"]["clinical"]["columns"] = ["age_years"]
    cohort_file.write_text(yaml.safe_dump(config))
    kept, folder = cohort_file.with_name("kept.csv"), str(shared_data / "hancock")
    words = ["cohort", "check", str(cohort_file), "--data", folder, "--drop-invalid", str(kept)]

    assert main(words) == 0
    assert "491 rows kept" in capsys.readouterr().out
    cohort = Cohort.read(cohort_file, table=kept, data_folder=folder)
    event = cohort.target(range(len(cohort))).event
    assert [int((event == k).sum()) for k in (1, 2)] == [75, 58]


def test_split_writes_a_file_once(cohort_file: Path, capsys: Any) -> None:
    """The hash that is printed is the file's; an existing file is not overwritten."""
    out = cohort_file.with_name("splits.json")
    words = ["cohort", "split", str(cohort_file), "--out", str(out), "--folds", "3", "--seed", "4"]

    assert main(words) == 0
    splits = Splits.read(out, subjects=Cohort.read(cohort_file).subjects)
    assert splits.sha256 in capsys.readouterr().out
    assert len(splits.folds) == 3
    assert main(words) == 2
    assert "is there already" in capsys.readouterr().err


def test_an_impossible_split_exits_with_2(cohort_file: Path, capsys: Any) -> None:
    """In one line with the numbers."""
    out = cohort_file.with_name("splits.json")
    words = ["cohort", "split", str(cohort_file), "--out", str(out), "--folds", "20"]

    assert main(words) == 2
    assert "15 events of 'death' cannot be spread over 20 folds" in capsys.readouterr().err
    assert not out.exists()


def test_prepare_has_nothing_to_do_for_tables(cohort_file: Path, capsys: Any) -> None:
    """Columns are read at once; only images and what encoders prepare are kept."""
    recipe = {
        "encoders": {"clinical": "tabular"},
        "head": "cox",
        "objective": "cox",
        "outcome": {"horizon": 600},
    }
    path = cohort_file.with_name("recipe.yaml")
    path.write_text(yaml.safe_dump(recipe))
    words = ["prepare", str(path), "--cohort", str(cohort_file), "--cache", str(path.parent)]

    assert main(words) == 0
    assert "0 arrays of 30 subjects" in capsys.readouterr().out


@pytest.mark.slow
def test_prepare_fills_the_cache_for_training(cohort_file: Path, capsys: Any) -> None:
    """Volumes of all subjects are read once into the cache; a second run finds them there."""
    sitk = pytest.importorskip("SimpleITK")
    pytest.importorskip("monai")
    import numpy as np

    folder = cohort_file.parent
    table = (folder / "patients.csv").read_text().splitlines()[:13]
    rows = [table[0] + ",ct"] + [line + f",{k}.nrrd" for k, line in enumerate(table[1:])]
    (folder / "patients.csv").write_text("\n".join(rows))
    for k in range(12):
        values = np.full((16, 16, 16), k, dtype=np.float32)
        sitk.WriteImage(sitk.GetImageFromArray(values), str(folder / f"{k}.nrrd"))
    config = yaml.safe_load(cohort_file.read_text())
    config["modalities"] = {"ct": {"kind": "volume", "path": "ct"}}
    cohort_file.write_text(yaml.safe_dump(config))
    recipe = {
        "encoders": {"ct": {"use": "resnet3d-18"}},
        "head": "cox",
        "objective": "cox",
        "outcome": {"horizon": 600},
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    words = ["prepare", str(folder / "recipe.yaml"), "--cohort", str(cohort_file), "--jobs", "1"]
    words += ["--cache", str(folder / "cache")]

    assert main(words) == 0
    assert "12 arrays of 12 subjects" in capsys.readouterr().out
    files = {path: path.stat().st_mtime_ns for path in (folder / "cache").rglob("*.npy")}
    assert len(files) == 12
    assert main(words) == 0
    assert files == {path: path.stat().st_mtime_ns for path in (folder / "cache").rglob("*.npy")}


def test_unknown_event_codes_are_never_dropped(cohort_file: Path, capsys: Any) -> None:
    """With codes 1 and 2 it would be the deaths that are left out."""
    table = cohort_file.with_name("patients.csv")
    table.write_text(table.read_text().replace(",1,", ",2,").replace(",0,", ",1,"))
    kept = cohort_file.with_name("kept.csv")

    assert main(["cohort", "check", str(cohort_file), "--drop-invalid", str(kept)]) == 2
    assert (
        "15 rows have an event code that the cohort file does not name" in capsys.readouterr().err
    )
    assert not kept.exists()
