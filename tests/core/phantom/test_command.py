"""``survkit phantom`` as a user types it."""

from pathlib import Path

import pandas as pd
import pytest

from survkit.cli import main
from survkit.cli.phantom import parse_rates
from survkit.errors import ConfigError

SMALL = ("--subjects", "12", "--size", "16")


def test_the_command_writes_a_cohort(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last line is the cohort file, ready for the next command."""
    folder = tmp_path / "p"
    words = ["phantom", "--out", str(folder), *SMALL, "--modality", "ct", "--modality", "clinical"]

    assert main([*words, "--missing", "ct=0.5", "--causes", "2"]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert "".join(lines).endswith(str(folder / "cohort.yaml"))
    assert lines[0].startswith("12 subjects; ")
    assert "cancer deaths, oracle concordance 0." in lines[0]
    assert 0 < pd.read_csv(folder / "table.csv")["ct_path"].isna().sum() < 12


def test_masks_are_named_when_asked_for(tmp_path: Path) -> None:
    """The shadow of each lesion is a file, and the cohort file says which column names it."""
    words = ["phantom", "--out", str(tmp_path / "p"), *SMALL, "--modality", "cxr", "--masks"]

    assert main(words) == 0
    assert "mask: cxr_lesion_path" in (tmp_path / "p" / "cohort.yaml").read_text()
    for path in pd.read_csv(tmp_path / "p" / "table.csv")["cxr_lesion_path"]:
        assert (tmp_path / "p" / path).is_file()


def test_an_existing_cohort_needs_leave(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one line without --overwrite; 0 with it."""
    words = ["phantom", "--out", str(tmp_path / "p"), *SMALL, "--modality", "ct"]
    assert main(words) == 0
    capsys.readouterr()

    assert main(words) == 2
    assert "already holds a phantom cohort" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--size", "8"], "size must be a whole number from 16 to 128, not 8"),
        (["--workers", "0"], "--workers must be at least 1, not 0"),
        (["--modality", "mri"], "modalities must be different ones of"),
        (["--missing", "pet"], "--missing must look like pet=0.2, not 'pet'"),
        (["--censored", "0.001"], "cannot be reached"),
    ],
)
def test_bad_options_are_one_line(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, the reason, and nothing written."""
    assert main(["phantom", "--out", str(tmp_path / "p"), *words]) == 2

    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_rate_given_twice_is_refused() -> None:
    """Two rates for one modality contradict each other."""
    with pytest.raises(ConfigError, match="names 'pet' twice"):
        parse_rates(["pet=0.1", "pet=0.2"])
