"""The example of docs/radiomics.md, run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from survkit.radiomics import FEATURE_CLASSES, RadiomicsSettings

PAGE = (Path(__file__).parents[2] / "docs/radiomics.md").read_text(encoding="utf-8")


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints a contrast and a dictionary of all features."""
    block = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[0]

    exec(compile(block, "docs/radiomics.md", "exec"), {})

    contrast, features = capsys.readouterr().out.splitlines()
    assert contrast.startswith("tensor(")
    assert features.count("_") == 93


def test_the_table_of_settings_is_complete() -> None:
    """Every setting, and no other."""
    table = PAGE.split("## Settings")[1].split("\n\n")[1]

    assert re.findall(r"^\| `(\w+)`", table, flags=re.MULTILINE) == list(
        RadiomicsSettings.__dataclass_fields__
    )


def test_the_numbers_of_features_are_right() -> None:
    """As listed in the first sentence."""
    sizes = [len(names) for names in FEATURE_CLASSES.values()]

    assert [int(number) for number in re.findall(r" (\d+)[,)]", PAGE.split("\n\n")[1])] == sizes
