"""Settings files against their schema, with errors a person can act on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from survkit.errors import ConfigError
from survkit.suggest import did_you_mean

Schema = TypeVar("Schema", bound=BaseModel)


def validate(schema: type[Schema], data: object, *, source: str) -> Schema:
    """Return ``data`` as the schema's model.

    Raises:
        ConfigError: One line that names the source, the key, what was expected and what came.
    """
    if not isinstance(data, dict):
        found = "nothing" if data is None else type(data).__name__
        raise ConfigError(
            f"{source}: expected keys and values "
            f"({_listed(schema.model_fields)}), but found {found}"
        )
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{source}: {describe(error, schema)}") from error


def describe(error: ValidationError, schema: type[BaseModel]) -> str:
    """Return the first problem of a pydantic error as one sentence, with a count of the rest."""
    problems = error.errors(include_url=False)
    first = problems[0]
    if first["type"] == "missing":  # a misspelt key is also a missing one: the spelling helps
        unknown = [
            problem
            for problem in problems
            if problem["type"] == "extra_forbidden" and problem["loc"][:-1] == first["loc"][:-1]
        ]
        first = (unknown or problems)[0]
    keys, inside = _place(schema, first["loc"])
    path = ".".join(keys)
    rest = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = list(getattr(inside, "model_fields", {}))
        return f"unknown key '{path}'. {did_you_mean(keys[-1], known)}{rest}"
    if first["type"] == "missing":
        return f"the key '{path}' is required and missing{rest}"
    reason = first["msg"].removeprefix("Value error, ")
    where = f"{path}: " if path else ""
    shown = "" if first["type"] == "value_error" else f", not {first['input']!r}"
    return f"{where}{reason[0].lower()}{reason[1:]}{shown}{rest}"


def _place(schema: type[BaseModel], path: Iterable[Any]) -> tuple[list[str], Any]:
    """Return the keys of a path of the schema, and the model that the last of them stands in.

    Where a value has one of several forms, pydantic puts the form's name into the path, which is no
    key of the file.
    """
    current: Any = schema
    inside: Any = schema
    keys: list[str] = []
    for part in path:
        models = [*_models_in(current)]
        form = next((model for model in models if model.__name__ == part), None)
        if form is not None:
            current = form
            continue
        keys.append(str(part))
        inside = models[0] if models else None
        info = getattr(inside, "model_fields", {}).get(part)
        if info is not None:
            current = info.annotation
    return keys, inside


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models inside ``X | None``, ``dict[str, X]`` or the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
