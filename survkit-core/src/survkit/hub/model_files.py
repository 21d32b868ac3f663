"""The files of a model folder, read with bounds: a folder may come from anybody.

Only files of these names are ever opened, sent or fetched. What they may make a reader do is
bounded before it is done: their kind, their size and how deep they nest.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any, NoReturn

from survkit.errors import RunError

CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"
NEEDED_FILES = (CONFIG_FILE, WEIGHTS_FILE)
OPTIONAL_FILES = ("README.md", "metrics.json", "calibration.png")
"""What a model folder may hold beside; whatever else lies there never leaves it."""
MOST_BYTES = 50_000_000
"""Of any file but the weights."""
MOST_DEPTH = 50
MOST_CHARACTERS = 100_000
"""Of a key or a text."""
MOST_DIGITS = 30
"""Of a whole number."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BLOCK = 1 << 20


def check_file(path: Path) -> None:
    """Refuse what is no ordinary file of its own folder.

    A link may stay within the folder. That of the Hub's cache, whose snapshots link to
    ``../../blobs``, is followed too.

    Raises:
        RunError: A link that leads out of the folder; a pipe, device or folder.
        FileNotFoundError: Nothing is there.
    """
    real, home = path.resolve(), path.parent.resolve()
    if path.is_symlink() and not _within(real, home) and not _in_cache(path, home):
        raise RunError(
            f"{path}: is a link that leads out of its folder, to {real}; put the file itself there"
        )
    if not real.exists():
        raise FileNotFoundError(f"{path} is not there")
    if not real.is_file():
        raise RunError(f"{path}: is no ordinary file; get the model anew")


def _within(real: Path, home: Path) -> bool:
    return real.is_relative_to(home)


def _in_cache(path: Path, home: Path) -> bool:
    """Whether the link is one that the Hub's client made: it names a blob by its hash."""
    target = path.readlink()
    blobs = home.parent.parent / "blobs"
    return home.parent.name == "snapshots" and (home / target).parent.resolve() == blobs.resolve()


def read_plain_json(path: Path) -> Any:
    """Read JSON of bounded size, depth and numbers, without a key that stands twice and without
    texts that no terminal or file can show.

    Raises:
        RunError: It is none, too large, too deep, or cannot be read.
        FileNotFoundError: Nothing is there.
    """
    check_file(path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise RunError(f"{path}: {size:,} bytes are more than the {MOST_BYTES:,} it may have")
        text = path.read_text(encoding="utf-8")
        content = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite,
            parse_int=_whole,
        )  # fmt: skip
    except RunError:
        raise
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
    except RecursionError as error:
        raise RunError(f"{path}: nested deeper than {MOST_DEPTH} levels") from error
    _check_inside(content, path)
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice")
    return content


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"{text[:20]}… is too large a number")
    return int(text)


def _check_inside(content: Any, path: Path) -> None:
    level, depth = [content], 0
    while level:
        if depth > MOST_DEPTH:
            raise RunError(f"{path}: nested deeper than {MOST_DEPTH} levels")
        inner: list[Any] = []
        for one in level:
            if isinstance(one, str):
                _check_text(one, path)
            elif isinstance(one, dict):
                inner += [*one.keys(), *one.values()]
            elif isinstance(one, list):
                inner += one
        level, depth = inner, depth + 1


def _check_text(text: str, path: Path) -> None:
    if len(text) > MOST_CHARACTERS:
        raise RunError(
            f"{path}: the text '{text[:20]}…' has {len(text):,} characters, more than the "
            f"{MOST_CHARACTERS:,} it may have"
        )
    found = _UNPRINTABLE.search(text)
    if found is not None:
        raise RunError(
            f"{path}: a text holds U+{ord(found[0]):04X}, which cannot be shown or written; get "
            "the model anew"
        )


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, read block by block."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def git_name_of(path: Path) -> str:
    """Return the name that git gives a small file's content: the Hub's hash of what is not LFS."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
