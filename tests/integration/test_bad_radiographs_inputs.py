"""What is wrong with radiographs, at the command line: one line, exit code 2, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from survkit.cli import main

PATCHES = "radiomics cohort.yaml --region patches --patch 8 --jobs 1 --out out.csv"
REGIONS = "radiomics cohort.yaml --jobs 1 --out out.csv"
FIT = "fit recipe.yaml --cohort cohort.yaml --out run --quiet"
SUBJECTS = 12


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with a cohort of pictures with masks, and a recipe."""
    random = np.random.default_rng(0)
    rows = []
    for k in range(SUBJECTS):
        picture = random.integers(0, 256, (16, 16)).astype(np.uint8)
        Image.fromarray(picture).save(tmp_path / f"{k}.png")
        Image.fromarray((picture > 99).astype(np.uint8)).save(tmp_path / f"m{k}.png")
        rows.append([f"s{k}", f"p{k // 2}", 10 + k, k % 2, f"{k}.png", f"m{k}.png"])
    table = pd.DataFrame(rows, columns=["id", "patient", "days", "death", "file", "mask"])
    table.to_csv(tmp_path / "table.csv", index=False)
    cohort = {
        "name": "pictures",
        "table": "table.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "death", "causes": {1: "death"}},
        "modalities": {"cxr": {"kind": "image", "path": "file", "mask": "mask"}},
    }
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(cohort))
    recipe = {
        "encoders": {"cxr": {"use": "radvit/roi-radiomics"}},
        "fusion": {"use": "mean", "dim": None},
        "head": {"use": "cox"},
        "outcome": {"horizon": 15},
        "objective": ["cox"],
        "training": {"epochs": 1, "validation": 0, "accelerator": "cpu"},
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def named(file: str) -> Callable[[Path], object]:
    """Let the table name another file for the fourth subject."""

    def bend(place: Path) -> None:
        table = pd.read_csv(place / "table.csv")
        table.loc[3, "file"] = file
        table.to_csv(place / "table.csv", index=False)

    return bend


def floats(place: Path) -> None:
    """Write pixels between 0 and 1, and one NaN, as some tools export them."""
    picture = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    picture[0, 0] = np.nan
    Image.fromarray(picture).save(place / "3.png", format="TIFF")


BAD: dict[str, tuple[str, Callable[[Path], object] | None, tuple[str, ...]]] = {
    "output name": (
        PATCHES.replace("out.csv", "x" * 300 + ".csv"),
        None,
        ("as long as xxxx", "(304 characters)", "shorter"),
    ),
    "image name": (PATCHES, named("y" * 400 + ".png"), ("as long as yyyy", "(404 characters)")),
    "one image of two patients": (
        FIT,
        named("7.png"),
        ("'s3', 'cxr': 7.png: this file is also the image of id 's7'", "would train and test"),
    ),
    "a copy of another patient's": (
        FIT,
        lambda place: (place / "3.png").write_bytes((place / "7.png").read_bytes()),
        ("'s3', 'cxr': 3.png: its bytes are those of the image of id 's7'",),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_radiograph_is_one_line_and_exit_code_2(
    name: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what is wrong; no file is changed, lost, or left behind."""
    line, bend, fragments = BAD[name]
    if bend is not None:
        bend(place)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}

    code = main(line.split())
    said = capsys.readouterr().err.splitlines(keepends=True)
    error = "".join(one for one in said if not one.startswith("warning: "))
    assert (code, error.count("\n"), "Traceback" in error) == (2, 1, False), error
    assert [part for part in fragments if part not in error] == [], error
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


LISTED: dict[str, tuple[str, Callable[[Path], object] | None, str]] = {
    "floats": (PATCHES, floats, "3.png: its pixels are floating-point numbers"),
    "lost width": (REGIONS + " --bin-width 1e-20", None, "bins of width 1e-20 from"),
}


@pytest.mark.parametrize("name", LISTED)
def test_subjects_that_fail_are_listed(
    name: str, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With row and reason, and nothing is written."""
    monkeypatch.setenv("COLUMNS", "300")
    line, bend, message = LISTED[name]
    if bend is not None:
        bend(place)

    assert main(line.split()) == 2
    listed = capsys.readouterr()
    assert message in listed.out
    assert listed.err.startswith("nothing is written: ")
    assert not (place / "out.csv").exists()
