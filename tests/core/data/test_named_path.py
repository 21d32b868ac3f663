"""Paths of a cohort's files are shown as one would write them, and lead where they led."""

from __future__ import annotations

from pathlib import Path

import pytest

from survkit.data.check import check_cohort
from survkit.data.named_path import named_path


@pytest.mark.parametrize(
    ("folder", "name", "shown"),
    [
        ("ingested", "../scans/a.nii.gz", "scans/a.nii.gz"),
        ("ingested", "scans/a.nii.gz", "ingested/scans/a.nii.gz"),
        (".", "../a.csv", "../a.csv"),
        ("../x", "../a.csv", "../a.csv"),
        ("ingested", "/data/a.csv", "/data/a.csv"),
    ],
)
def test_a_step_in_and_out_is_not_shown(
    folder: str, name: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps above where one stands remain."""
    (tmp_path / "here/ingested").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")

    assert str(named_path(Path(folder), name)) == shown


def test_a_link_is_followed(tmp_path: Path) -> None:
    """The way up from a link's target is another than from where the link lies."""
    (tmp_path / "far/real").mkdir(parents=True)
    (tmp_path / "far/a.csv").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "far/real")

    found = named_path(tmp_path / "link", "../a.csv")

    assert found.read_text() == "x"


def test_the_check_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing image beside the folder of the cohort file."""
    inner = tmp_path / "ingested"
    inner.mkdir()
    (tmp_path / "patients.csv").write_text("id,days,event,ct\na,5,1,../scans/a.nii\n")
    (inner / "cohort.yaml").write_text(
        "{name: n, table: ../patients.csv, subject: id, modalities: {ct: {kind: volume, path: ct}},"
        " outcome: {duration: days, unit: days, event: event, causes: {1: death}}}"
    )
    monkeypatch.chdir(tmp_path)

    messages = [each.message for each in check_cohort(Path("ingested/cohort.yaml"))]

    assert [text for text in messages if text.startswith("scans/a.nii: ")] != []
    assert [text for text in messages if ".." in text] == []
