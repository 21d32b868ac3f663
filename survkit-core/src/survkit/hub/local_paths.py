"""Nothing that is published says where something lies on the machine that it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from survkit.errors import RunError

_PLACE = re.compile(
    r"""(?:^|[\s"'=,;:(\[])              # where a path may begin; https:// is none
        (/[^\s/"']+(?:/[^\s/"']+)+        # /home/somebody
        |~[A-Za-z0-9_.-]*/[^\s"']*        # ~/weights
        |[A-Za-z]:[\\/]{1,2}[^\s"']+      # C:\weights
        |\\\\[^\s\\"']+\\[^\s"']+)        # \\server\share
    """,
    re.VERBOSE,
)


def place_in(text: str) -> str | None:
    """Return the path of a machine that a text holds, if it holds one."""
    found = _PLACE.search(text)
    return None if found is None else found[1]


def check_json(content: Any, file: str) -> None:
    """Refuse plain data in which a key or a text holds a path of a machine.

    Args:
        content: Of the file.
        file: Its name, for the message.

    Raises:
        RunError: With the key and the path.
    """
    for key, text in _texts(content, ""):
        found = place_in(text)
        if found is not None:
            raise RunError(
                f"{file}: {key} names a place on a machine ({found}), which would be published; "
                "write its name alone there, or leave it out"
            )


def check_words(text: str, file: str) -> None:
    """Refuse words, which may well show a path of an example, with the user's own home folder.

    Raises:
        RunError: With the line.
    """
    home = str(Path.home())
    for number, line in enumerate(text.splitlines(), 1):
        if len(Path(home).parts) > 1 and re.search(re.escape(home) + r"(?![\w.-])", line):
            raise RunError(
                f"{file}: line {number} names {home}, your own folder, which would be published; "
                "write another path there"
            )


def check_header(weights: Path) -> None:
    """Refuse a file of weights whose header, which people can read, holds a path.

    Raises:
        RunError: As of :func:`check_json`.
    """
    with weights.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length)
    check_json(json.loads(header), weights.name)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield texts and keys of plain data, each with the key that leads to it."""
    if isinstance(value, str):
        yield path or "it", value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            here = f"{path}.{key}" if path else str(key)
            yield here, str(key)
            yield from _texts(inner, here)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}.{number}")
