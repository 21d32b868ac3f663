"""The folder of a new plugin: whole, in good style, and never in place of something else."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tokenize
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import survkit
from survkit.cli import main
from survkit.component import Plugin
from survkit.errors import RunError
from survkit.plugins import check_api
from survkit.scaffold import PluginName, write_plugin

ROOT = Path(__file__).parents[3]
NAMES = ["a", "my-paper", "abcdefghijklmnopqrstuvwxyz-123"]
_SILENT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER, tokenize.ENCODING,
}  # fmt: skip


@pytest.fixture(scope="module", params=NAMES)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a plugin of that name."""
    name = PluginName(request.param)
    folder = tmp_path_factory.mktemp("written") / name.distribution
    write_plugin(name, folder)
    return folder


def test_style_is_clean_whatever_the_name(written: Path) -> None:
    """By the plugin's own settings, lint and format; no line grows too long with the name."""
    for words in (["check", "."], ["format", "--check", "."]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--no-cache"],
            cwd=written,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_left_unfilled(written: Path) -> None:
    """No template syntax, no ending of a template, no name of another plugin."""
    for path in written.rglob("*"):
        assert path.suffix != ".jinja"
        if path.is_file() and path.suffix:
            text = path.read_text(encoding="utf-8")
            assert "{{" not in text, path
            assert "package/" not in text, path


def test_versions_hold_what_is_installed_here(written: Path) -> None:
    """The core's and the API's, each with an upper end."""
    project = tomllib.loads((written / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (core,) = (Requirement(text) for text in project["dependencies"])
    tree = ast.parse((next((written / "src").iterdir()) / "plugin.py").read_text(encoding="utf-8"))
    (api,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SURVKIT_API"
    )

    assert core.name == "survkit-core"
    assert core.specifier.contains(survkit.__version__)
    assert not core.specifier.contains("1.0")
    check_api(api, Plugin("x", "y", "z"))
    assert "<" in api


def test_the_licence_is_ours(written: Path) -> None:
    """The text of Apache-2.0, letter by letter."""
    assert (written / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_parts_are_short_enough_to_be_read_as_examples(written: Path) -> None:
    """Code lines of a module without imports, docstrings and what a refusal says."""
    parts = [
        path for path in written.glob("src/*/*.py") if path.name not in ("__init__.py", "plugin.py")
    ]

    assert len(parts) == 4
    assert {path.name: n for path in parts if (n := _code_lines(path)) > 30} == {}


def test_every_part_has_its_test(written: Path) -> None:
    """A file of tests per module, that subclasses the kit."""
    for path in written.glob("src/*/*.py"):
        if path.name != "__init__.py":
            test = (written / "tests" / f"test_{path.name}").read_text(encoding="utf-8")
            assert "Conformance):" in test


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    """Not even an empty folder, a file or a link to nowhere."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("folder", "file", "link"):
        with pytest.raises(RunError, match="is there already and is not overwritten; give another"):
            write_plugin(PluginName("x"), tmp_path / name)

    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "link"]


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at the fifth file: neither the folder nor its beginnings are left."""
    write, count = Path.write_bytes, iter(range(100))

    def fail_later(self: Path, data: bytes) -> int:
        if next(count) == 4:
            raise OSError(28, "No space left on device")
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", fail_later)
    with pytest.raises(RunError, match="plugin: cannot be written: No space left on device"):
        write_plugin(PluginName("x"), tmp_path / "plugin")

    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By default the folder is called after the distribution; a wrong name ends with 2."""
    monkeypatch.chdir(tmp_path)

    assert main(["new-plugin", "my-paper"]) == 0
    said = capsys.readouterr().out
    assert main(["new-plugin", "my-paper", "--out", "deep/er"]) == 0
    assert main(["new-plugin", "my-paper"]) == 2
    assert main(["new-plugin", "radvit"]) == 2

    files = [path for path in Path("survkit-my-paper").rglob("*") if path.is_file()]
    assert said.startswith(f"survkit-my-paper: {len(files)} files\n")
    assert "cd survkit-my-paper" in said
    assert sorted(path.name for path in Path("deep/er").iterdir()) == sorted(
        path.name for path in Path("survkit-my-paper").iterdir()
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "survkit-my-paper"]


def _code_lines(path: Path) -> int:
    """Return how many lines do something: no imports, docstrings, comments, or refusals."""
    source = path.read_text(encoding="utf-8")
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _SILENT:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if docstring or isinstance(node, ast.Import | ast.ImportFrom | ast.Raise):
            code -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(code)
