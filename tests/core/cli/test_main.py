"""Exit codes and messages of the command line, whatever a command does."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from typing import Annotated

import pytest
import typer

from survkit.cli import COMMANDS, Entry, main
from survkit.cli.app import build_app
from survkit.errors import DataError, PluginError


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs a command line whose command ``try`` does what it is told."""

    def run(action: Callable[[], None], *words: str) -> int:
        def command(
            size: Annotated[int, typer.Option(help="How large.")] = 1,
            text: Annotated[str, typer.Option(help="What to say.")] = "",
        ) -> None:
            """Try it."""
            action()

        monkeypatch.setattr(sys.modules[__name__], "command", command, raising=False)
        entry = Entry(f"{__name__}:command", "Try it.", ("survkit try --text '[x]'",))
        monkeypatch.setitem(COMMANDS, "try", entry)
        return main(["try", *words])

    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _this_module())
    return run


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("radiomics", "columns: [glcm_Contrast, ...]"),
        ("radiomics", "survkit-core[pyradiomics]"),
        ("importance", "'name: [column, ...]'"),
    ],
)
def test_brackets_in_a_help_are_shown(
    command: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are lists and extras, not markup that vanishes."""
    assert main([command, "--help"]) == 0

    shown = "".join(capsys.readouterr().out.replace("│", "").split())
    assert "".join(words.split()) in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_a_help_fits_eighty_columns(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No option, default or word is cut off, and no flag looks as if it took a value."""
    monkeypatch.setenv("COLUMNS", "80")

    assert main([command, "--help"]) == 0

    shown = capsys.readouterr().out
    assert "…" not in shown
    assert "<bool>" not in shown


def test_paragraphs_of_a_help_have_the_width_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A docstring's own line breaks are no end of a line; its empty lines are."""
    monkeypatch.setenv("COLUMNS", "200")

    assert main(["cv", "--help"]) == 0

    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    start = next(line for line in lines if line.startswith("Everything is fitted"))
    assert lines[lines.index(start) - 1] == ""
    assert start.endswith("Finished folds survive an interruption (--resume).")


def _this_module() -> object:
    """Return this module, which pytest's importlib mode may keep out of ``sys.modules``."""
    module = type(sys)(__name__)
    module.__dict__.update(globals())
    return module


def _raising(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


def test_a_command_that_ends_well_is_zero(run: Callable[..., int]) -> None:
    """Exit code 0: done."""
    assert run(lambda: None) == 0


def test_a_wrong_input_is_one_line_and_two(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The message alone, no traceback."""
    code = run(_raising(DataError("row 3 has no duration; give one")))

    assert code == 2
    assert capsys.readouterr().err == "error: row 3 has no duration; give one\n"


@pytest.mark.parametrize("words", [["try", "--debug"], ["--debug", "try"]])
def test_debug_shows_the_traceback_wherever_it_stands(
    words: list[str], run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug report needs it; the exit code stays."""
    run(_raising(DataError("row 3")))
    capsys.readouterr()

    assert main(words) == 2
    error = capsys.readouterr().err
    assert "Traceback" in error
    assert error.endswith("error: row 3\n")


@pytest.mark.parametrize("error", [ZeroDivisionError("no\nsuch number"), PluginError("no such")])
def test_a_fault_of_ours_is_named_and_one(
    error: Exception, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """What the user gave was right: they are told whose fault it is and how to see more."""
    code = run(_raising(error))

    shown = capsys.readouterr().err
    assert code == 1
    assert shown.startswith(f"{type(error).__name__}: no such")
    assert "This is a fault of survkit or of a component" in shown
    assert "--debug" in shown
    assert "Traceback" not in shown


def test_an_interruption_is_130(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """As shells report a process that was ended by Ctrl-C."""
    assert run(_raising(KeyboardInterrupt())) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_full_disk_is_one_line_and_two(
    wrapped: bool, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where a library has wrapped the system's error in its own."""
    full = OSError(errno.ENOSPC, "No space left on device", "runs/a/model.safetensors")
    error: Exception = full
    if wrapped:
        error = RuntimeError("could not write")
        error.__cause__ = full

    assert run(_raising(error)) == 2
    shown = capsys.readouterr().err
    assert shown == (
        "error: the disk is full while writing runs/a/model.safetensors; free some space\n"
    )


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (
            MemoryError("Unable to allocate 3.55 PiB for an array with shape (1, 9) and data type"),
            " (Unable to allocate 3.55 PiB for an array with shape (1, 9) and data type)",
        ),
        (
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate "
                "memory: you tried to allocate 819200 bytes. Error code 12 (Cannot allocate memory)"
            ),
            " (you tried to allocate 819200 bytes)",
        ),
        (RuntimeError("ITK: Failed to allocate memory for image."), ""),
    ],
    ids=["numpy", "torch", "itk"],
)
def test_too_little_memory_is_one_line_and_two(
    error: Exception, asked: str, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """A number with too many zeros is the user's, not a fault of survkit."""
    assert run(_raising(error)) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"error: there is not enough memory{asked}; look for a number that")
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tyr"], "There is no command 'tyr'. Did you mean 'try'"),
        (["zzz"], "There is no command 'zzz'. Known: "),
        (["try", "--sise", "3"], "No such option"),
        (["try", "--size", "many"], "Invalid value for '--size'"),
        (["try", "--size"], "requires an argument"),
        (["try", "superfluous"], "superfluous"),
        (["--nonsense"], "No such option"),
    ],
)
def test_a_misspelt_command_line_is_two_with_a_suggestion(
    words: list[str],
    message: str,
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Usage errors are the user's, and say what is close."""
    run(lambda: None)

    assert main(words) == 2
    shown = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert message in shown
    if "--sise" in words:
        assert "--size" in shown


def test_nothing_to_do_shows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command is in the help with its line, and none is imported for it."""
    before = set(sys.modules)

    assert main([]) == 0
    shown = capsys.readouterr().out
    for name, entry in COMMANDS.items():
        assert name in shown
        assert entry.help.split()[0] in shown
    assert "survkit demo" in shown
    assert not {name for name in set(sys.modules) - before if name.startswith("survkit.cli.")}


def test_the_help_of_a_command_shows_its_examples_as_they_stand(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Square brackets are not taken for markup."""
    assert run(lambda: None, "--help") == 0
    assert "survkit try --text '[x]'" in capsys.readouterr().out


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The distribution's, as pip knows it."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "survkit-core 0.1.0\n"


def test_a_reader_that_leaves_is_no_error() -> None:
    """``survkit list | head -1`` prints one line and nothing on stderr."""
    command = f"{sys.executable} -m survkit list | head -1"

    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["kind", "name", "summary"]
    assert done.stderr == ""


def test_what_is_written_after_the_reader_left_is_no_error() -> None:
    """The flush at the end of the process must be quiet too."""
    code = (
        "import sys, time; time.sleep(0.3); from survkit.cli import main; "
        "sys.exit(main(['list', '--json']))"
    )
    command = f'{sys.executable} -c "{code}" | true'

    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)

    assert done.stderr == ""


def test_completion_knows_commands_and_their_options() -> None:
    """Commands come from the table, options from the module that is imported for them."""
    assert build_app().resolve_command(_Resilient(), ["list"])[0] == "list"
    assert build_app().resolve_command(_Resilient(), ["nothing"])[0] is None


class _Resilient:
    resilient_parsing = True
