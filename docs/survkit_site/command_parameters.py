"""What a command may be given: its function's signature, under the names that the parser uses."""

from __future__ import annotations

import inspect
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints


class Parameter(NamedTuple):
    """An argument or an option.

    Attributes:
        option: Whether it is an option.
        names: Of an option, as written.
        metavar: What stands for an argument in the usage.
        value: What an option takes, in words; nothing for a switch.
        default: As written; ``required`` where there is none.
        meaning: The help.
    """

    option: bool
    names: str
    metavar: str
    value: str
    default: str
    meaning: str


_WORDS = {int: "*whole number*", float: "*number*", str: "*text*", Path: "*path*"}


def parameters(command: Any) -> list[Parameter]:
    """Return what the command may be given, in its order, without ``--help``."""
    function = inspect.unwrap(command.callback)
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function).parameters
    parsed = {each.name: each for each in command.params}
    return [
        _parameter(parsed[name], hints[name], each.default)
        for name, each in signature.items()
        if name in parsed and not getattr(parsed[name], "hidden", False)
    ]


def _parameter(parsed: Any, hint: Any, default: object) -> Parameter:
    plain, info = get_args(hint)[:2] if get_origin(hint) is Annotated else (hint, None)
    many, kind = _kind(plain)
    option = parsed.param_type_name == "option"
    metavar = getattr(info, "metavar", None) or parsed.name.upper()
    help_text = (parsed.help or "").replace(r"\[", "[")
    if many and option:
        help_text += " May be given several times."
    return Parameter(
        option=option,
        names=", ".join([*parsed.opts, *parsed.secondary_opts]),
        metavar=metavar,
        value=_value(kind, info),
        default=_default(default),
        meaning=help_text,
    )


def _kind(hint: Any) -> tuple[bool, Any]:
    """Return whether a list is taken, and the type of one value."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = [each for each in get_args(hint) if each is not NoneType]
    if get_origin(hint) is list:
        return True, get_args(hint)[0]
    return False, hint


def _value(kind: Any, info: Any) -> str:
    if kind is bool:
        return ""
    if get_origin(kind) is Literal:
        return " or ".join(f"`{each}`" for each in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f"`{each.value}`" for each in kind)
    if get_origin(kind) is tuple:
        return " ".join(_WORDS[each] for each in get_args(kind))
    lowest, highest = getattr(info, "min", None), getattr(info, "max", None)
    bounds = [
        f" {word} {bound}"
        for word, bound in (("from", lowest), ("to", highest))
        if bound is not None
    ]
    return _WORDS.get(kind, f"*{kind}*") + "".join(bounds)


def _default(default: object) -> str:
    if default is inspect.Parameter.empty:
        return "required"
    if default is None or default is False:
        return ""
    if default is True:
        return "on"
    if isinstance(default, list | tuple):
        return ", ".join(f"`{each}`" for each in default)
    return f"`{getattr(default, 'value', default)}`"
