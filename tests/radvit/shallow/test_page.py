"""docs/shallow.md of the plugin: its commands, its settings, and whose numbers it shows."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path

import pytest

from survkit.cli.app import load_command
from survkit_radvit.shallow.experiment import ShallowExperiment
from survkit_radvit.shallow.reference import REFERENCE

PAGE = (Path(__file__).parents[3] / "survkit-radvit/docs/shallow.md").read_text(encoding="utf-8")


def table_under(heading: str) -> dict[str, list[str]]:
    """Return the cells of the table under a heading, by those of the first column."""
    part = PAGE.partition(f"\n### {heading}\n")[2].partition("\n#")[0]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return {name: cells for name, *cells in rows}


@pytest.mark.parametrize(("design", "noise"), REFERENCE)
def test_the_reference_beside_our_numbers_is_the_one_of_the_code(design: str, noise: float) -> None:
    """Every range on the page is that of the table that the experiment writes; what has none says
    so. Our mean lies between our lowest and highest.
    """
    rows = table_under(f"Design {design}, noise {noise:.2f}")
    expected = REFERENCE[design, noise]

    assert len(rows) == 16
    for name, (ours, reference) in rows.items():
        if name == "measure":
            continue
        low, high = expected.get(name, (None, None))
        shown = "n/a" if low is None else f"{low:g}" if low == high else f"{low:g} to {high:g}"
        assert reference == shown, name
        numbers = [float(each) for each in re.findall(r"-?\d\.\d{3}", ours)]
        assert len(numbers) in (1, 3)
        assert numbers[0] == pytest.approx(sorted(numbers)[len(numbers) // 2])


def test_no_number_is_called_the_papers() -> None:
    """The page says at once that there is none, and no table has a column of the paper."""
    assert "Their designs and numbers are **not available**" in PAGE
    assert "no number on this page is the paper's" in " ".join(PAGE.split())
    headings = [line for line in PAGE.splitlines() if line.startswith("| measure")]
    assert {*headings} == {"| measure | here | reference |", "| measure | here |"}


def test_commands_and_settings_exist() -> None:
    """The commands' options are those of reproduce, and every setting is on the page with its
    default.
    """
    (block,) = re.findall(r"^```bash\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    options = {each for param in load_command("reproduce").params for each in param.opts}
    for line in block.splitlines():
        words = shlex.split(line)
        assert words[:3] == ["survkit", "reproduce", "radvit/shallow"]
        assert {word for word in words if word.startswith("--")} <= options
    settings = inspect.signature(ShallowExperiment).parameters
    listed = PAGE.partition("## Settings")[2]
    assert {*re.findall(r"`([a-z_]+)`", listed)} - {"pixels"} == {*settings}
    assert f"`{settings['design'].default}`" in listed
    assert f"| `censored` | {settings['censored'].default} |" in listed
