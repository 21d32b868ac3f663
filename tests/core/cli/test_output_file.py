"""A place for results is refused before anything is computed, and what is there stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from survkit.cli import main
from survkit.cli.output_file import check_output
from survkit.errors import UserError

TABLE = "subject,duration,event,risk_score\n" + "".join(
    f"p{k},{10 + k},{k % 2},{(k * 7919 % 50) / 10}\n" for k in range(40)
)
TOLD = ["--unit", "days", "--horizon", "40"]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return somebody's table in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_text(TABLE)
    Path("train.csv").write_text(TABLE.replace("\np", "\nt"))
    Path("there.json").write_text("{}")
    Path("folder.json").mkdir()
    return Path("table.csv")


@pytest.mark.parametrize(
    ("command", "out", "message"),
    [
        (["evaluate", "table.csv", *TOLD], "table.csv", "table.csv is read here"),
        (["evaluate", "table.csv", *TOLD, "--overwrite"], "table.csv", "table.csv is read here"),
        (
            ["evaluate", "table.csv", *TOLD, "--training", "train.csv", "--overwrite"],
            "train.csv",
            "train.csv is read here",
        ),
        (["evaluate", "table.csv", *TOLD], "numbers.txt", "takes a .json file, not numbers.txt"),
        (["evaluate", "table.csv", *TOLD], "nowhere/n.json", "nowhere: there is no such folder"),
        (["evaluate", "table.csv", *TOLD], "there.json", "there.json is there already"),
        (["evaluate", "table.csv", *TOLD], "folder.json", "folder.json is a folder"),
        (["audit", "table.csv", "--unit", "days"], "table.csv", "table.csv is read here"),
        (["audit", "table.csv", "--unit", "days"], "there.json", "there.json is there already"),
    ],
)
def test_nothing_that_is_there_is_lost(
    table: Path, capsys: pytest.CaptureFixture[str], command: list[str], out: str, message: str
) -> None:
    """One line, exit code 2, and every file as it was."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}

    assert main([*command, "--out", out]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_a_comparison_is_not_replaced_by_another(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second of two comparisons into one folder is refused, unless --overwrite says so."""
    Path("other.csv").write_text(TABLE.replace(".1\n", ".9\n"))
    words = ["compare", "table.csv", "other.csv", "--horizon", "40", "--time-unit", "days"]
    words += ["--metric", "harrell", "--replicates", "0", "--permutations", "20", "--out", "both"]

    assert main(words) == 0
    before = Path("both/comparison.json").read_bytes()
    assert main([*words, "--seed", "5"]) == 2
    assert "comparison.json is there already" in capsys.readouterr().err
    assert Path("both/comparison.json").read_bytes() == before
    assert main([*words, "--seed", "5", "--overwrite"]) == 0
    assert Path("both/comparison.json").read_bytes() != before


def test_a_link_to_an_input_is_that_input(table: Path) -> None:
    """Another name for the same file does not make it another file."""
    Path("alias.json").symlink_to("table.csv")

    with pytest.raises(UserError, match="is read here"):
        check_output(Path("alias.json"), ending=".json", overwrite=True, inputs=[table])


def test_evaluated_subjects_are_no_training_subjects(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights for censoring from reported subjects are the leak that an audit looks for."""
    assert main(["evaluate", "table.csv", *TOLD, "--training", "table.csv"]) == 2
    assert "table.csv: subject p0 is among the evaluated subjects (40" in capsys.readouterr().err
    assert main(["evaluate", "table.csv", "--unit", "fortnights", "--horizon", "40"]) == 2
    assert "days, months, years, not 'fortnights'" in capsys.readouterr().err
