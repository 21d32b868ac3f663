"""docs/tutorial.md from the first step to the last: its files written, its commands run."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.core.scaffold.installed import installed, run_beside, write_metadata

from survkit.cli import main
from survkit.hub import from_pretrained
from survkit.scaffold import PluginName, write_plugin

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
NAME = PluginName("my-paper")
KINDS = ("encoder", "fusion", "head", "loss", "recipe")

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Said:
    """What a command line of the page printed, and what the page says that it prints."""

    line: str
    code: int
    text: str
    expected: str | None


@dataclass(frozen=True)
class Followed:
    """The folder in which the page was followed, and what every command printed."""

    folder: Path
    path: list[Path]
    said: list[Said]


def blocks() -> list[tuple[str, str]]:
    """Return language and text of the page's blocks, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def register(plugin: Path, line: str) -> None:
    """Put a line at the end of the plugin's table."""
    source = plugin.read_text(encoding="utf-8")
    start, table, rest = source.partition('_PARTS = """\n')
    body, end, rest = rest.partition('"""\n')
    plugin.write_text(start + table + body + line + end + rest, encoding="utf-8")


def run(line: str, folder: Path, path: list[Path]) -> tuple[int, str]:
    """Run a command line of the page; return its exit code and what it printed."""
    program, *words = shlex.split(line)
    if program == "python":
        done = run_beside(path, *words[1:], cwd=path[0].parent, check=False)
        return done.returncode, done.stdout + done.stderr
    assert program == "survkit", line
    text = io.StringIO()
    to_stdout, to_stderr = contextlib.redirect_stdout(text), contextlib.redirect_stderr(text)
    with installed(path, NAME.package), to_stdout, to_stderr:
        code = main(words)
    return code, text.getvalue()


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """Follow the page."""
    folder = tmp_path_factory.mktemp("tutorial")
    plugin = folder / NAME.distribution
    write_plugin(NAME, plugin)
    path = write_metadata(plugin, folder / "site")
    said: list[Said] = []
    listed = blocks()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SURVKIT_CACHE", str(folder / "cache"))
        for (language, text), (_, following) in zip(listed, [*listed[1:], ("", "")], strict=True):
            if language in ("python", "yaml"):
                place, _, content = text.partition("\n")
                (plugin / place.removeprefix("# ")).write_text(content, encoding="utf-8")
            elif language == "text" and text.startswith(tuple(f"{kind} | " for kind in KINDS)):
                register(plugin / "src" / NAME.package / "plugin.py", text)
            elif language == "bash":
                lines = text.splitlines()
                for line in lines:
                    code, printed = run(line, folder, path)
                    shown = line is lines[-1] and following.startswith(("kind ", "error: "))
                    said.append(Said(line, code, printed, following if shown else None))
    return Followed(folder, path, said)


def test_the_page_was_followed_to_its_end(followed: Followed) -> None:
    """Every command ends well, but the one whose refusal is shown."""
    wrong = [
        each
        for each in followed.said
        if (each.code, each.line.count("head=cox")) not in [(0, 0), (2, 1)]
    ]

    assert wrong == []
    assert len(followed.said) == 12
    assert sum(language == "sh" for language, _ in blocks()) == 2, "install and build, not run here"


def test_what_is_shown_is_what_is_printed(followed: Followed) -> None:
    """The list of the new plugin, and the refusal."""
    shown = [each for each in followed.said if each.expected is not None]

    assert len(shown) == 2
    for each in shown:
        assert each.expected is not None
        printed = [line.rstrip() for line in each.text.splitlines()]
        assert printed == each.expected.splitlines()


def test_the_tests_of_the_page_are_the_kit_and_the_number(followed: Followed) -> None:
    """All of the kit for fusions ran on the new one."""
    (ran,) = (each.text for each in followed.said if " -m pytest " in each.line)

    assert int(re.findall(r"(\d+) passed", ran)[0]) > 20
    assert "skipped" not in ran


def test_the_types_of_the_page_are_strict(followed: Followed) -> None:
    """As the page says of mypy."""
    done = run_beside(
        followed.path, "mypy", "--cache-dir", str(followed.folder), cwd=followed.path[0].parent
    )

    assert "Success" in done.stdout


def test_the_two_models_were_compared(followed: Followed) -> None:
    """By the names that the page gives them."""
    (compared,) = (each.text for each in followed.said if each.line.startswith("survkit compare"))

    assert "weighted" in compared
    assert "interaction" in compared


def test_the_recipe_of_the_paper_gives_a_model_of_its_parts(followed: Followed) -> None:
    """Curves of all 90 subjects, from a model whose fusion is the page's."""
    curves = (followed.folder / "curves.csv").read_text().splitlines()
    with installed(followed.path, NAME.package):
        model = from_pretrained(followed.folder / "runs/model")

    assert len(curves) == 91
    assert model.description.parts.fusion.name == "my-paper/interaction"
    assert NAME.package not in sys.modules
