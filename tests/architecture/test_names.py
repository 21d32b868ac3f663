"""Every name that is promised leads somewhere: components, commands, the public API."""

from __future__ import annotations

import shlex
from types import ModuleType
from typing import Any

import pytest
import yaml

import survkit
from survkit.cli import COMMANDS
from survkit.cli.app import load_command
from survkit.component import TEXT_KINDS
from survkit.plugins import default_registry
from survkit.registry import Component

COMPONENTS = list(default_registry().iterate())
EXAMPLES = [example for entry in COMMANDS.values() for example in entry.examples]


@pytest.mark.parametrize(
    "component", COMPONENTS, ids=lambda each: f"{each.kind}-{each.qualified_name}"
)
def test_every_registered_name_resolves(component: Component) -> None:
    """A component is something to call, a recipe, demonstration or reproduction a YAML mapping."""
    target = component.load()

    if component.kind in TEXT_KINDS:
        assert isinstance(yaml.safe_load(target), dict)
    else:
        assert callable(target)
        assert target.__doc__, f"{component.target} says nothing about itself"


@pytest.mark.parametrize("name", [name for name in survkit.__all__ if name != "__version__"])
def test_every_public_name_resolves(name: str) -> None:
    """What ``dir(survkit)`` shows can be used, and is not a module of the same name."""
    assert not isinstance(getattr(survkit, name), ModuleType)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_with_examples(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The help of every command ends with command lines that can be copied."""
    entry = COMMANDS[name]
    command = load_command(name)

    assert command.help
    assert entry.examples
    with pytest.raises(SystemExit):
        command.main(["--help"], prog_name=f"survkit {name}")
    shown = " ".join(capsys.readouterr().out.split())
    for example in entry.examples:
        assert example in shown
        assert example.startswith(f"survkit {name}")
    for inner, part in getattr(command, "commands", {}).items():
        assert part.help
        assert f"survkit {name} {inner}" in (part.epilog or ""), "an example for each part"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_uses_options_that_exist(example: str) -> None:
    """An example that has drifted from its command is worse than none."""
    _, name, *words = shlex.split(example)
    command: Any = load_command(name)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    options = {option: param for param in command.params for option in param.opts}
    arguments = [param for param in command.params if param.param_type_name == "argument"]

    positional = 0
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            assert word in options, f"{word} is not among {sorted(options)}"
            if not getattr(options[word], "is_flag", False):
                assert words, f"{word} needs a value"
                words.pop(0)
        else:
            positional += 1
    required = [param for param in arguments if param.required]
    assert len(required) <= positional
    assert positional <= len(arguments) or any(param.nargs == -1 for param in arguments)
    missing = [
        param.opts
        for param in command.params
        if param.required and param.param_type_name == "option" and param.opts[0] not in example
    ]
    assert missing == []
