"""Wrong tags of a whole file become one error that names the file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

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
