"""Radiographs that can be read and should be looked at: stretched out of shape, or blank."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from survkit.data.problem import Problem, spreadsheet_row
from survkit.data.readers.fit import stretching
from survkit.data.readers.image import ImageSource
from survkit.data.readers.picture import picture_size
from survkit.errors import DataError

MOST_STRETCHING = 0.05
"""A picture may be stretched by this share without a word."""


def aspect_warnings(name: str, source: ImageSource) -> list[Problem]:
    """Warn where the declared size changes the aspect by more than :data:`MOST_STRETCHING`.

    One warning for the modality, with the worst picture; files that cannot be read are told of as
    errors elsewhere.
    """
    size = source.config.size
    if size is None or source.config.fit != "stretch":
        return []
    found: list[tuple[float, int, tuple[int, int]]] = []
    for row in map(int, np.flatnonzero(source.available)):
        path = source.files.image[row]
        try:
            of = (1, 1) if path is None else picture_size(path)
        except DataError:
            continue
        found.append((stretching(of, size), row, of))
    wrong = [each for each in found if each[0] > MOST_STRETCHING]
    if not wrong:
        return []
    most, row, of = max(wrong)
    path = source.files.image[row]
    message = (
        f"{len(wrong)} of {len(found)} images are stretched by more than {MOST_STRETCHING:.0%} in "
        f"one direction to reach size {size}; the worst is row {spreadsheet_row(row)} "
        f"({Path(str(path)).name}, [y, x] = {list(of)}), by {most:.0%}; "
        "declare fit: pad or fit: crop to keep shapes"
    )
    return [Problem(None, None, name, message, "warning")]


def blank_warning(path: str) -> str:
    """Return what is said of a picture whose every intensity is the same."""
    return f"{path}: every intensity is the same, so the image shows nothing; check the file"
