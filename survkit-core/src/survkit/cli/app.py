"""The command line itself: finds the command, runs it, returns the exit code.

The table gives names, help lines and examples, so that ``survkit --help`` imports nothing heavy; a
command's module is imported when the command is run.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from survkit.cli.commands import COMMANDS
from survkit.cli.failure import DONE, FAILED, INTERRUPTED, explain_failure, warn_in_one_line
from survkit.cli.list import run_plainly
from survkit.suggest import did_you_mean


class LazyGroup(TyperGroup):
    """A group that shows its table in the help, and imports a command only to complete it."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Import the command that was asked for."""
        name = args[0]
        if name not in COMMANDS and not ctx.resilient_parsing:
            ctx.fail(f"There is no command {name!r}. {did_you_mean(name, COMMANDS)}")
        command = load_command(name) if name in COMMANDS else None
        return (name if command else None), command, args[1:]


def load_command(name: str) -> Any:
    """Import one command and return it with the help and examples of its table entry."""
    entry = COMMANDS[name]
    module, _, attribute = entry.target.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        app, docstring = found, found.info.help
    else:
        app, docstring = typer.Typer(add_completion=False, rich_markup_mode="rich"), found.__doc__
        app.command(name)(found)
    command = get_command(app)
    command.name, command.epilog = name, _epilog(entry.examples)
    if not isinstance(docstring, str) or not docstring.strip():
        command.help = entry.help
    for inner, part in getattr(command, "commands", {}).items():
        part.epilog = _epilog([each for each in entry.examples if f" {name} {inner}" in each])
    return command


def build_app() -> Any:
    """Return the whole command line with a placeholder for every command."""
    app = typer.Typer(cls=LazyGroup, pretty_exceptions_enable=False, rich_markup_mode="rich")
    app.callback(epilog=_epilog(("survkit demo", "survkit list", "survkit fit --help")))(_options)
    for name, entry in COMMANDS.items():
        app.command(name, help=entry.help)(_placeholder)
    return get_command(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0: done. 1: a run failed. 2: the input was wrong. 130: interrupted.

    Args:
        arguments: The words after ``survkit``; those of the process where ``None``.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words  # wherever it stands, it is meant for the whole command line
    words = [word for word in words if word != "--debug"]
    with warnings.catch_warnings():
        warnings.showwarning = warn_in_one_line(warnings.showwarning)
        try:
            try:
                return _run(words or ["--help"])
            finally:
                sys.stdout.flush()
        except SystemExit as stop:
            return stop.code if isinstance(stop.code, int) else FAILED if stop.code else DONE
        except KeyboardInterrupt:
            return INTERRUPTED
        except Exception as error:  # the last resort: nothing else catches what a command raises
            return explain_failure(error, debug=debug)


def _run(words: list[str]) -> int:
    name, rest = words[0], words[1:]
    if name not in COMMANDS:
        code = build_app().main(words, prog_name="survkit", standalone_mode=False)
    elif name == "list" and run_plainly(rest):
        return DONE
    else:  # straight to the command: the group around it would cost start-up time
        command = load_command(name)
        code = command.main(rest, prog_name=f"survkit {name}", standalone_mode=False)
    return code if isinstance(code, int) else DONE


def _show_version(asked: bool) -> None:
    if asked:
        from survkit import __version__

        print(f"survkit-core {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,
) -> None:
    """Deep survival analysis on medical images."""


def _placeholder() -> None:
    """Stand in, while help is printed, for a command that has not been imported."""


def _epilog(examples: Sequence[str]) -> str:
    """Return the examples as paragraphs, which the help keeps as lines."""
    return "\n\n".join(["Examples:", *examples]).replace("[", r"\[")
