"""``survkit radiomics`` as a user calls it, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.core.extraction.conftest import NAMES, SUBJECTS, change

from survkit.cli import main
from survkit.radiomics import FEATURE_NAMES


def call(file: Path, *more: str, out: str = "features.parquet") -> int:
    line = ["radiomics", str(file), "--out", str(file.parent / out), "--jobs", "1"]
    return main([*line, "--cache", str(file.parent / "cache"), *more])


def test_a_table_is_written(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole, under its name, and what was done is said."""
    assert call(file, "--modality", "ct", "--classes", "firstorder, glcm") == 0

    found = pd.read_parquet(file.parent / "features.parquet")
    assert found["id"].tolist() == [name for name in NAMES if name != "004"]
    assert len(found.columns) == 1 + 18 + 24
    told = capsys.readouterr().out
    assert "5 rows of 5 subjects, ct" in told
    assert "1 subjects do not have it" in told
    assert [one.name for one in file.parent.glob(".*")] == []


def test_patches_as_csv(file: Path) -> None:
    """With their places; identifiers keep their zeros."""
    assert (
        call(file, *["--modality", "cxr", "--region", "patches", "--patch", "16"], out="f.csv") == 0
    )

    found = pd.read_csv(file.parent / "f.csv", dtype={"id": str})
    assert found["id"].unique().tolist() == NAMES
    assert list(found.columns) == ["id", "row", "column", *FEATURE_NAMES]
    assert len(found) == 6 * SUBJECTS


def test_the_only_image_needs_no_name(file: Path) -> None:
    """And bins may be counted."""
    change(file, "modalities.ct", None)

    assert call(file, "--bin-count", "8") == 0

    assert len(pd.read_parquet(file.parent / "features.parquet")) == SUBJECTS


def _rgb(folder: Path) -> None:
    Image.new("RGB", (48, 32), (9, 8, 7)).save(folder / "002.png")


def _small(folder: Path) -> None:
    Image.fromarray(np.zeros((12, 48), np.uint8)).save(folder / "002.png")
    Image.fromarray(np.ones((12, 48), np.uint8)).save(folder / "002-mask.png")


def _odd(folder: Path) -> None:
    Image.fromarray(np.zeros((32, 50), np.uint8)).save(folder / "002.png")
    Image.fromarray(np.ones((32, 50), np.uint8)).save(folder / "002-mask.png")


def _other_mask(folder: Path) -> None:
    Image.fromarray(np.ones((30, 48), np.uint8)).save(folder / "002-mask.png")


def _empty_mask(folder: Path) -> None:
    Image.fromarray(np.zeros((32, 48), np.uint8)).save(folder / "002-mask.png")


def _no_mask(folder: Path) -> None:
    table = pd.read_csv(folder / "patients.csv", dtype=str, keep_default_na=False)
    table.loc[2, "mask"] = ""
    table.to_csv(folder / "patients.csv", index=False)


def _damaged(folder: Path) -> None:
    (folder / "002.png").write_bytes((folder / "002.png").read_bytes()[:60])


def _missing(folder: Path) -> None:
    (folder / "002.png").unlink()


@pytest.mark.parametrize(
    ("region", "spoil", "words", "jobs"),
    [
        ("roi", _other_mask, "the mask has 48 x 30 pixels, but its image 48 x 32", 1),
        ("roi", _other_mask, "the mask has 48 x 30 pixels, but its image 48 x 32", 2),
        ("roi", _empty_mask, "the mask is empty", 1),
        ("roi", _no_mask, "the subject has no mask", 1),
        ("roi", _rgb, "the image is RGB", 1),
        ("roi", _damaged, "002.png", 1),
        ("roi", _missing, "there is no such file", 1),
        ("patches", _small, "12 x 48 pixels is smaller than a patch of 16 x 16", 1),
        ("patches", _odd, "multiples of the patch of 16 pixels", 1),
    ],
)
def test_subjects_that_fail_are_listed(
    region: str,
    spoil: Any,
    words: str,
    jobs: int,
    file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each with its row and reason, and nothing is written; unless the others are wanted, and then
    a file says who is not there.
    """
    spoil(file.parent)
    asked = ["--modality", "cxr", "--region", region, "--jobs", str(jobs)]
    asked += ["--patch", "16"] if region == "patches" else []
    out, beside = file.parent / "features.parquet", file.parent / "features.parquet.failed.csv"

    assert call(file, *asked) == 2
    told = capsys.readouterr()
    assert "".join(words.split()) in "".join(told.out.split())  # the table wraps where it likes
    assert "nothing is written: 1 subjects failed" in told.err
    assert not out.exists()
    assert not beside.exists()

    assert call(file, *asked, "--skip-failed") == 0
    rows = pd.read_parquet(out)
    failed = pd.read_csv(beside, dtype=str)
    assert sorted(set(rows["id"])) == [name for name in NAMES if name != "002"]
    assert failed["row"].tolist() == ["4"]
    assert failed["subject"].tolist() == ["002"]
    assert words in failed["reason"][0]


def test_nothing_is_written_where_everybody_failed(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty table would say that nobody has the image."""
    asked = ["--modality", "cxr", "--region", "patches", "--patch", "64", "--skip-failed"]

    assert call(file, *asked) == 2

    assert f"{SUBJECTS} subjects failed; mend them\n" in capsys.readouterr().err
    assert not (file.parent / "features.parquet").exists()


@pytest.mark.parametrize(
    ("changes", "asked", "words"),
    [
        ({}, "", "the cohort has cxr, ct; choose by --modality"),
        ({}, "--modality cx", "no modality is named 'cx'. Did you mean 'cxr'"),
        ({}, "--modality blood", "modalities.blood is a table; radiomic features are of an image"),
        ({}, "--modality cxr --bin-width 5 --bin-count 8", "--bin-width and --bin-count"),
        ({}, "--modality cxr --bin-width 0", "bin_width must be a finite number > 0"),
        ({}, "--modality cxr --bin-count 0", "bin_count must be a whole number from 1"),
        ({}, "--modality cxr --patch 16", "give it with --region patches"),
        ({}, "--modality cxr --classes firstorder,", "no class of features is named ''"),
        ({}, "--modality cxr --classes shape", "no class of features is named 'shape'"),
        ({}, "--modality cxr --region patches --shape", "all patches have one shape"),
        ({}, "--modality ct --region patches", "ct is a volume, but patches are cut from images"),
        ({}, "--modality cxr --jobs 0", "jobs must be 1 or more"),
        ({"modalities.cxr.mask": None}, "--modality cxr", "names no 'mask', so there is no region"),
        (
            {"modalities.cxr.color": "rgb"},
            "--modality cxr",
            "cxr.color is rgb, but radiomic features are of one channel",
        ),
        (
            {"modalities.ct": None, "modalities.cxr": None},
            "",
            "features are of one image or volume, but the cohort has no image, only blood",
        ),
    ],
)
def test_what_cannot_be_extracted_is_refused(
    changes: dict[str, Any],
    asked: str,
    words: str,
    file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In one line, before an image is read."""
    change(file, "modalities.blood", {"kind": "table", "columns": ["age"]})
    for path, value in changes.items():
        change(file, path, value)

    assert call(file, *asked.split()) == 2

    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert not (file.parent / "features.parquet").exists()


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("features.xlsx", "--out takes a .parquet or .csv file"),
        ("nowhere/features.csv", "there is no such folder"),
        ("patients.csv", "is read here, so it is not replaced"),
    ],
)
def test_what_cannot_be_written_is_refused(
    out: str, words: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Above all the cohort's own table, also with --overwrite."""
    before = (file.parent / "patients.csv").read_bytes()

    assert call(file, "--modality", "ct", "--overwrite", out=out) == 2

    assert words in capsys.readouterr().err
    assert (file.parent / "patients.csv").read_bytes() == before


def test_a_table_is_replaced_when_asked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And only then."""
    (file.parent / "features.parquet").write_text("precious")

    assert call(file, "--modality", "ct") == 2
    assert "give --overwrite to replace it" in capsys.readouterr().err
    assert (file.parent / "features.parquet").read_text() == "precious"
    assert call(file, "--modality", "ct", "--overwrite") == 0
    assert len(pd.read_parquet(file.parent / "features.parquet")) == SUBJECTS - 1
