"""A component's keyword-only constructor is the schema that its settings are checked against.

Types are strict, as JSON means them: a list may become a tuple and a whole number a float, but the
text ``"3"`` is not the number 3 and ``true`` is not 1.
"""

from __future__ import annotations

import inspect
import json
import math
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from survkit.errors import ConfigError, PluginError
from survkit.suggest import close_matches, did_you_mean

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_PLURALS = {int: "whole numbers", float: "numbers", bool: "true or false", str: "texts"}


def check_settings(
    component: Callable[..., Any], settings: Mapping[str, object], *, where: str
) -> dict[str, object]:
    """Return the component's settings, checked and with the defaults filled in.

    Args:
        component: The class or function; its keyword-only parameters are what may be set.
        settings: What was asked, as YAML or JSON gives it.
        where: What the settings belong to, the start of every message: ``"head 'cox'"``.

    Returns:
        One value per keyword-only parameter, ready for the constructor and for ``json.dumps``.

    Raises:
        ConfigError: A setting is unknown, missing or of another type; the message says what
            would do.
        PluginError: The component's own signature cannot serve as a schema.
    """
    schema = settings_schema(component, where=where)
    for name in settings:
        if name not in schema:
            raise ConfigError(f"{where} has no setting {name!r}. {did_you_mean(str(name), schema)}")
    resolved: dict[str, object] = {}
    for name, (hint, default) in schema.items():
        if name in settings:
            resolved[name] = _checked(hint, settings[name], default, f"{where}: setting {name!r}")
        elif default is inspect.Parameter.empty:
            raise ConfigError(f"{where} needs the setting {name!r}, {describe_type(hint)}")
        else:
            resolved[name] = default
    _check_plain(resolved, where)
    return resolved


def settings_schema(component: Callable[..., Any], *, where: str) -> dict[str, tuple[Any, Any]]:
    """Return type and default of every keyword-only parameter, in the order of the signature.

    Raises:
        PluginError: A parameter has no type, or a type that cannot be resolved at run time.
    """
    parameters = inspect.signature(component).parameters.values()
    names = [each for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    function = component.__init__ if inspect.isclass(component) else component
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError) as error:
        raise PluginError(
            f"{where}: the types of its settings cannot be resolved ({error}); "
            "import them at run time, not under TYPE_CHECKING"
        ) from error
    for each in names:
        if each.name not in hints:
            raise PluginError(f"{where}: its setting {each.name!r} has no type; annotate it")
    return {each.name: (hints[each.name], each.default) for each in names}


def describe_type(hint: Any) -> str:
    """Return in words what a value of the type looks like in YAML.

    >>> describe_type(tuple[int, ...]), describe_type(Literal["breslow", "efron"])
    ('a list of whole numbers', "'breslow' or 'efron'")
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is None or hint is type(None):
        return "null"
    if origin is Annotated:
        return describe_type(arguments[0])
    if origin is Literal:
        return " or ".join(repr(value) for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(describe_type(argument) for argument in arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"a mapping of names to {_plural(arguments[1])}"
    if origin is tuple and arguments[-1] is not Ellipsis:
        return f"a list of {len(arguments)}: {', '.join(map(describe_type, arguments))}"
    if origin is not None and arguments:
        return f"a list of {_plural(arguments[0])}"
    return _WORDS.get(hint, getattr(hint, "__name__", str(hint)))


def _plural(hint: Any) -> str:
    return _PLURALS.get(hint, f"which each is {describe_type(hint)}")


def _checked(hint: Any, value: object, default: object, what: str) -> object:
    from pydantic import TypeAdapter, ValidationError
    from pydantic.errors import PydanticUserError

    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{what} must be {describe_type(hint)} and finite, not {value:g}")
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{what} must be {describe_type(hint)}, not {_shown(value)}: "
            f"it cannot be written to a file ({error})"
        ) from error
    try:
        return TypeAdapter(hint).validate_json(text, strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        raise ConfigError(_refusal(hint, value, default, what, details)) from error
    except PydanticUserError as error:
        raise PluginError(f"{what} has the type {hint}, which cannot be checked") from error


def _refusal(hint: Any, value: object, default: object, what: str, details: list[Any]) -> str:
    parts = [f"{what} must be {describe_type(hint)}, not {_shown(value)}"]
    place, reason = details[0]["loc"], details[0]["msg"]
    constrained = not details[0]["type"].endswith(("_type", "literal_error"))
    if constrained or isinstance(value, list | dict):
        spot = f" at {'.'.join(map(str, place))}" if place and len(details) == 1 else ""
        parts.append(f" ({reason[0].lower()}{reason[1:]}{spot})")
    if isinstance(value, str):
        parts.append(_about_text(hint, value))
    elif isinstance(value, bool) and "text" in describe_type(hint):
        parts.append("; true and false are truth values in YAML: quote the word")
    if default is not inspect.Parameter.empty:
        parts.append(f"; the default is {_shown(default)}")
    return "".join(parts)


def _about_text(hint: Any, value: str) -> str:
    choices = [each for each in get_args(hint) if isinstance(each, str)]
    if close := close_matches(value, choices):
        return f"; did you mean {close[0]!r}?"
    try:
        finite = math.isfinite(float(value))
    except ValueError:
        return ""
    return "; it is text: write the number without quotes" if finite else ""


def _shown(value: object) -> str:
    try:
        shown = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError):
        shown = f"{value!r} ({type(value).__name__})"
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _check_plain(resolved: Mapping[str, object], where: str) -> None:
    """Refuse a component whose defaults or types cannot be recorded in a configuration file."""
    for name, value in resolved.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise PluginError(
                f"{where}: its setting {name!r} holds {value!r}, which cannot be recorded "
                f"({error}); its author should use numbers, texts, booleans, lists or mappings"
            ) from error
