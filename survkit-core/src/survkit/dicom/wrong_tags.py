"""Wrong tags of a whole file become one error that names the file."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from survkit.dicom.tag_values import WrongTagError
from survkit.errors import DataError


@contextmanager
def wrong_tags_refused(where: str) -> Iterator[None]:
    """Turn a tag that cannot be used into a ``DataError`` that begins with ``where``.

    pydicom's warnings are silenced: they show values, which may be identifiers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except WrongTagError as error:
            raise DataError(f"{where}: {error}; export the file again from its source") from error


def value_of(data: Any, keyword: str) -> Any:
    """Return a tag's value as pydicom gives it; ``None`` where it is absent.

    Raises:
        WrongTagError: It cannot be parsed.
    """
    try:
        return data.get(keyword)
    except Exception as error:  # lazily parsed foreign bytes fail in ways that are not listed
        raise WrongTagError(f"{keyword} cannot be read ({type(error).__name__})") from error


def shown_code(word: str) -> str:
    """Return a coded word for a message; what is none may be anything of a damaged file."""
    return word if re.fullmatch(r"[A-Z][A-Z0-9_]{0,15}", word) else "not a code"


def shown_label(name: str) -> str:
    """Return a region's name for a message and to be found by; 64 printable signs are its limit."""
    if not name:
        return "(unnamed)"
    return name if len(name) <= 64 and name.isprintable() else "(unreadable)"
