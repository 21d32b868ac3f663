"""Which compositions a command line asks for: a file, recipes, or one recipe and what varies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from survkit.tournaments import TournamentFile


def asked_for(
    file: Path | None, recipes: Sequence[str], vary: Sequence[str], changes: Sequence[str]
) -> TournamentFile:
    """Return the tournament.

    Raises:
        ConfigError: A file and recipes are given, neither is, or what varies has no one recipe.
    """
    from survkit.errors import ConfigError
    from survkit.tournaments import TournamentFile

    if file is not None:
        if recipes or vary:
            raise ConfigError(
                "a tournament file says which recipes compete and what varies; leave out --recipe "
                "and --vary, or the file"
            )
        found = TournamentFile.read(file)
        return found.model_copy(update={"set": [*found.set, *changes]})
    if not recipes:
        raise ConfigError("give a tournament file, or --recipe (repeated, or with --vary)")
    if vary and len(recipes) > 1:
        raise ConfigError(
            "--vary changes one recipe, but several are given; write a tournament file with base, "
            "vary and compositions"
        )
    if vary:
        axes = dict(_axis(text) for text in vary)
        if len(axes) < len(vary):
            raise ConfigError("--vary names a path twice; give all its values at once: path=a,b")
        data: dict[str, Any] = {"base": _named(recipes[0])[1], "vary": axes}
    else:
        data = {"compositions": _by_name(recipes)}
    return TournamentFile.parse(data | {"set": list(changes)}, source="the command line")


def _axis(text: str) -> tuple[str, list[Any]]:
    from survkit.errors import ConfigError
    from survkit.safe_yaml import parse_yaml

    path, given, values = text.partition("=")
    if not given or not path.strip() or not values.strip():
        raise ConfigError(f"--vary takes path=a,b, such as fusion=mean,gated, not {text!r}")
    found: list[Any] = parse_yaml(f"[{values}]", source=f"--vary {path}")
    return path.strip(), found


def _by_name(recipes: Sequence[str]) -> dict[str, str]:
    from survkit.errors import ConfigError

    found: dict[str, str] = {}
    for text in recipes:
        name, recipe = _named(text)
        if name in found:
            raise ConfigError(
                f"two recipes are named {name!r}, {found[name]} and {recipe}; give one another "
                f"name: NAME={recipe}"
            )
        found[name] = recipe
    return found


def _named(text: str) -> tuple[str, str]:
    """Return the name and the recipe: what was given, else the last part of the recipe's name."""
    name, given, recipe = text.partition("=")
    if given and not Path(text).exists():
        return name, recipe
    return Path(text).stem if text.endswith((".yaml", ".yml")) else text.rpartition("/")[2], text
