"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from survkit.cli import COMMANDS
from survkit.cli.app import build_app, load_command
from survkit_site.command_parameters import parameters
from survkit_site.markdown import code, plain, table

_INTRODUCTION = """# Commands

Written from the commands when the site was built: the words are those of `survkit COMMAND --help`.
Wrong input is one readable line or table, exit code 2, and nothing written. Exit code 1 says that a
run failed, 0 that all was done; `survkit --debug COMMAND` shows the traceback.
"""


def pages() -> dict[str, str]:
    """Return a page per command, and the list of all."""
    found = {f"commands/{name}.md": _page(name) for name in COMMANDS}
    rows = [(f"[{name}]({name}.md)", plain(entry.help)) for name, entry in COMMANDS.items()]
    app = build_app()
    index = [_INTRODUCTION, table(("command", ""), rows), "## Options of survkit itself\n"]
    found["commands/index.md"] = "\n".join([*index, *_tables(app)])
    return found


def _page(name: str) -> str:
    command = load_command(name)
    examples = COMMANDS[name].examples
    inner = getattr(command, "commands", {})
    lines = [f"# survkit {name}\n", _help(command, COMMANDS[name].help)]
    if not inner:
        lines += _described(command, f"survkit {name}", examples)
    for part, found in inner.items():
        own = [each for each in examples if f" {name} {part}" in each]
        lines += [f"## survkit {name} {part}\n", _help(found, "")]
        lines += _described(found, f"survkit {name} {part}", own)
    return "\n".join(lines)


def _described(command: Any, title: str, examples: Sequence[str]) -> Iterator[str]:
    arguments = [each.metavar for each in parameters(command) if not each.option]
    yield code(" ".join([title, "[OPTIONS]", *arguments]), "text")
    yield from _tables(command)
    yield "**Examples**\n"
    yield code("\n".join(examples), "sh")


def _tables(command: Any) -> Iterator[str]:
    shown = parameters(command)
    arguments = [(f"`{each.metavar}`", plain(each.meaning)) for each in shown if not each.option]
    options = [
        (" ".join([f"`{each.names}`", each.value]).strip(), each.default, plain(each.meaning))
        for each in shown
        if each.option
    ]
    if arguments:
        yield table(("argument", "meaning"), arguments)
    if options:
        yield table(("option", "default", "meaning"), options)


def _help(command: Any, otherwise: str) -> str:
    text = inspect.cleandoc(_unescaped(command.help or otherwise)).replace("\b\n", "")
    return text.replace("<", "\\<") + "\n"


def _unescaped(text: str) -> str:
    """Return a help without the marks that keep brackets from being read as colours."""
    return text.replace(r"\[", "[")
