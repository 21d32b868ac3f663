"""A refused run leaves a free place, and one that computed something stays for --resume."""

from __future__ import annotations

from pathlib import Path

import pytest

from survkit.errors import DataError, RunError
from survkit.training.run_folder import RunFolder


def refuse(folder: RunFolder, name: str | None) -> None:
    """Begin a run, leave a file in it, and refuse."""
    with folder.attempt():
        folder.describe({"command": "a test"}, {})
        if name is not None:
            place = folder.work / name
            place.parent.mkdir(parents=True)
            place.write_bytes(b"computed")
        raise DataError("no")


def test_a_refusal_before_anything_was_computed_leaves_a_free_place(tmp_path: Path) -> None:
    """The corrected command needs no --overwrite."""
    with pytest.raises(DataError, match="no"):
        refuse(RunFolder(tmp_path / "run"), None)

    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "name",
    [
        "fold-0/log.csv",
        "fold-0/predictions.parquet",
        "ridge/fold-1/predictions.parquet",
        "fold-0/choice.json",
    ],
)
def test_what_was_computed_stays(tmp_path: Path, name: str) -> None:
    """A baseline has no log of epochs, only what it predicted."""
    with pytest.raises(DataError, match="no"):
        refuse(RunFolder(tmp_path / "run"), name)

    assert (tmp_path / "run" / name).read_bytes() == b"computed"
    assert RunFolder(tmp_path / "run", resume=True).work == tmp_path / "run"


def test_a_run_of_another_command_is_told_as_such(tmp_path: Path) -> None:
    """Not as one with another cohort or recipe, which every other command's is too."""
    RunFolder(tmp_path / "run").describe({"command": "cv", "cohort": "a"}, {})

    with pytest.raises(RunError, match="is a run of survkit cv, not of survkit tournament; go on"):
        RunFolder(tmp_path / "run", resume=True).describe({"command": "tournament"}, {})
