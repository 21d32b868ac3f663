"""The parser of the command line.

The table gives names, help lines and examples, so that ``survkit --help`` imports nothing heavy; a
command's module is imported when the command is run.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from survkit.cli.commands import COMMANDS
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
    _make_readable(command)
    for inner, part in getattr(command, "commands", {}).items():
        part.epilog = _epilog([each for each in entry.examples if f" {name} {inner}" in each])
        _make_readable(part)
    return command


def _make_readable(command: Any) -> None:
    """Show brackets as they stand, paragraphs without line breaks of the source, flags untyped.

    Otherwise what stands in brackets, such as an extra, is read as markup; docstrings break where
    the source does, whatever the width of the terminal; and a flag is shown as if it took a value.
    """
    switches = [each for each in command.params if getattr(each, "is_flag", False)]
    for told in (*switches, command.get_help_option(typer.Context(command))):
        if told is not None:
            told.metavar = ""
    if command.help:
        command.help = re.sub(r"(?<=\S)\n(?=\S)", " ", inspect.cleandoc(command.help))
    for told in (command, *command.params):
        help_text = getattr(told, "help", None)
        if help_text:
            told.help = help_text.replace("[", r"\[")


def build_app() -> Any:
    """Return the whole command line with a placeholder for every command."""
    app = typer.Typer(cls=LazyGroup, pretty_exceptions_enable=False, rich_markup_mode="rich")
    app.callback(epilog=_epilog(("survkit demo", "survkit list", "survkit fit --help")))(_options)
    for name, entry in COMMANDS.items():
        app.command(name, help=entry.help)(_placeholder)
    group = get_command(app)
    _make_readable(group)
    return group


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
