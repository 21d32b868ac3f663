"""A severity belongs to the suite: beside corruptions it would be ignored, so it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from survkit.cli.run import main
from survkit.errors import ConfigError
from survkit.stress import StressSettings

from .conftest import write_cohort


def test_a_severity_beside_corruptions_is_refused() -> None:
    """It says whose severity it is, and where a corruption states its own."""
    with pytest.raises(ConfigError, match=r"low is that of the suite, .*'ct:blur' replaces"):
        StressSettings(corruptions=["ct:blur"], severities=["low"])

    assert StressSettings(corruptions=["ct:blur"]).severities is None


def test_the_command_line_says_so_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, before anything is predicted."""
    cohort = str(write_cohort(tmp_path))
    wishes = ["--corruption", "blood:column-noise", "--severity", "low"]

    code = main(["stress", str(tmp_path), "--cohort", cohort, *wishes])

    error = capsys.readouterr().err
    assert (code, error.count("\n")) == (2, 1)
    assert "'blood:column-noise' replaces" in error
