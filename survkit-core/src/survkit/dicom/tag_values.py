"""Values of a dataset by keyword, as plain Python; what is wrong is said, never guessed."""

from __future__ import annotations

import math
import sys
from typing import Any


class WrongTagError(ValueError):
    """A tag holds something else than it must; the message names the tag, not its content."""


def text(data: Any, keyword: str) -> str:
    """Return a value as one string, several joined by a backslash, empty if absent.

    Characters that cannot be printed become question marks: messages are one line.
    """
    value = _value(data, keyword)
    if value is None:
        return ""
    parts = value if is_several(value) else [value]
    found = "\\".join(str(part) for part in parts).strip("\0 ")
    if not found.isprintable():
        found = "".join(each if each.isprintable() else "?" for each in found)
    return sys.intern(found)


def number(data: Any, keyword: str) -> float | None:
    """Return a finite number, ``None`` if the tag is absent or empty.

    Raises:
        WrongTagError: It is not one finite number.
    """
    found = numbers(data, keyword, 1)
    return None if found is None else found[0]


def whole(data: Any, keyword: str) -> int | None:
    """Return a whole number, ``None`` if the tag is absent or empty.

    Raises:
        WrongTagError: It is not one whole number.
    """
    found = number(data, keyword)
    if found is None:
        return None
    if found != int(found):
        raise WrongTagError(f"{keyword} is not a whole number")
    return int(found)


def numbers(data: Any, keyword: str, count: int) -> tuple[float, ...] | None:
    """Return so many finite numbers, ``None`` if the tag is absent or empty.

    Raises:
        WrongTagError: There are more or fewer, or one is not a finite number.
    """
    value = _value(data, keyword)
    if value is None:
        return None
    parts = list(value) if is_several(value) else [value]
    if len(parts) != count:
        raise WrongTagError(f"{keyword} must hold {count} numbers, but holds {len(parts)}")
    try:
        found = tuple(float(part) for part in parts)
    except (TypeError, ValueError) as error:
        raise WrongTagError(f"{keyword} is not a number") from error
    if not all(math.isfinite(each) for each in found):
        raise WrongTagError(f"{keyword} is not finite")
    return found


def items(data: Any, keyword: str) -> list[Any]:
    """Return the items of a sequence, none if absent.

    Raises:
        WrongTagError: It is not a sequence.
    """
    value = _value(data, keyword)
    if value is None:
        return []
    if not is_several(value):
        raise WrongTagError(f"{keyword} is not a sequence")
    return list(value)


def is_several(value: Any) -> bool:
    """Whether a value of pydicom's holds several."""
    return isinstance(value, (list, tuple)) or (
        hasattr(value, "__len__") and hasattr(value, "insert")
    )


def _value(data: Any, keyword: str) -> Any:
    try:
        value = data.get(keyword)
    except Exception as error:  # lazily parsed foreign bytes fail in ways that are not listed
        raise WrongTagError(f"{keyword} cannot be read ({type(error).__name__})") from error
    empty = value is None or (is_several(value) and len(value) == 0) or value in ("", b"")
    return None if empty else value
