"""Every command line that the pages and the helps show is one that the parser takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from survkit.cli import COMMANDS
from survkit.cli.app import load_command

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for pattern in (
        "*.md",
        "docs/*.md",
        "examples/**/*.md",
        "survkit-*/*.md",
        "survkit-*/docs/*.md",
    )
    for page in ROOT.glob(pattern)
)


def parse(line: str) -> Any:
    """Parse a command line as a shell and survkit would, without running it."""
    _, name, *words = shlex.split(line, comments=True)
    command: Any = load_command(name)
    if hasattr(command, "commands") and words:
        command = command.commands[words.pop(0)]
    return command.make_context(name, words)


def lines_of(text: str) -> Iterator[str]:
    """Yield the commands of survkit in the blocks of shell commands."""
    for block in re.findall(r"^```(?:bash|sh)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("survkit ") and not line.startswith("survkit -"):
                yield line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_are_commands(page: Path) -> None:
    """A page that has drifted from the command line is worse than none."""
    for line in lines_of(page.read_text(encoding="utf-8")):
        try:
            parse(line)
        except Exception as error:
            pytest.fail(f"{line}\n{type(error).__name__}: {error}")


@pytest.mark.parametrize("example", [one for entry in COMMANDS.values() for one in entry.examples])
def test_the_examples_of_the_help_parse(example: str) -> None:
    """With their values: the types of options are the parser's."""
    assert parse(example).params


@pytest.mark.parametrize(
    "line",
    ["survkit cv r --cohort c --out o --folds many", "survkit cv r --cohort c --ouT o"],
)
def test_a_wrong_line_is_found(line: str) -> None:
    """The check above can fail: a value of the wrong type, an option that does not exist."""
    with pytest.raises(Exception, match=r"integer|No such option"):
        parse(line)
