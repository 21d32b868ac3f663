"""Settings files against their schema, with errors a person can act on."""

from __future__ import annotations

from collections.abc import Iterable
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
    path = ".".join(str(part) for part in first["loc"])
    rest = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = _known_at(schema, first["loc"][:-1])
        return f"unknown key '{path}'. {did_you_mean(str(first['loc'][-1]), known)}{rest}"
    if first["type"] == "missing":
        return f"the key '{path}' is required and missing{rest}"
    reason = first["msg"].removeprefix("Value error, ")
    where = f"{path}: " if path else ""
    shown = "" if first["type"] == "value_error" else f", not {first['input']!r}"
    return f"{where}{reason[0].lower()}{reason[1:]}{shown}{rest}"


def _known_at(schema: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """Return the field names of the model that stands at a path of the schema, as far as it can be
    told.
    """
    current: Any = schema
    for part in path:
        info = getattr(current, "model_fields", {}).get(part)
        if info is not None:
            current = info.annotation
        current = _model_in(current) or current
    return list(getattr(current, "model_fields", {}))


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model inside ``X | None``, ``dict[str, X]`` or the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
