"""Every figure and table of the page as a file of its own, beside the page."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.errors import DataError, RunError
from survkit.report.figure import Picture
from survkit.report.tables import Table, slug

CONTENTS_FILE = "contents.csv"
_ENDINGS = {"svg+xml": "svg", "png": "png", "jpeg": "jpg"}


@dataclass(slots=True)
class PageFiles:
    """What will lie beside the page, by its path in the folder of the page."""

    contents: dict[str, bytes] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def picture(self, name: str, picture: Picture) -> Picture:
        """Keep a figure under ``figures/`` and return it."""
        kind, _, encoded = picture.source.partition(",")
        ending = next(end for media, end in _ENDINGS.items() if f"image/{media}" in kind)
        self._keep(f"figures/{slug(name)}.{ending}", picture.alt, base64.b64decode(encoded))
        return picture

    def table(self, table: Table) -> Table:
        """Keep a table under ``tables/`` and return it."""
        self._keep(f"tables/{table.file}.csv", table.title, table.to_csv().encode())
        return table

    def document(self, name: str, title: str, text: str) -> None:
        """Keep a file of numbers."""
        self._keep(name, title, text.encode())

    def _keep(self, path: str, title: str, content: bytes) -> None:
        if path in self.contents:
            raise ValueError(f"two parts of the page want the file {path}")
        self.contents[path], self.titles[path] = content, title

    def listing(self, folder: str) -> tuple[Mapping[str, Any], ...]:
        """Return path and title of each file, in the order of the page."""
        return tuple(
            {"path": f"{folder}/{path}", "title": title} for path, title in self.titles.items()
        )

    def write(self, folder: Path) -> None:
        """Write all files, each whole or not at all, and take away those of the page before.

        Only what an earlier page listed in ``contents.csv`` is taken away.

        Raises:
            DataError: The folder cannot be written to.
            RunError: ``contents.csv`` is there and is no list of files.
        """
        old = _listed(folder / CONTENTS_FILE)
        for path, content in self.contents.items():
            place = folder / path
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DataError(f"{place.parent}: no such folder can be made: {error}") from error
            write_bytes(place, content)
        for path in old - set(self.contents):
            (folder / path).unlink(missing_ok=True)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([("file", "what it shows"), *self.titles.items()])
        write_bytes(folder / CONTENTS_FILE, text.getvalue().encode())


def _listed(path: Path) -> set[str]:
    """Return the files of an earlier page; names that lead out of its folder are no such files."""
    if not path.is_file():
        return set()
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, csv.Error) as error:
        raise RunError(f"{path}: not a list of files ({error}); delete it to go on") from error
    made = re.compile(r"(figures/[a-z0-9-]+\.(svg|png|jpg)|tables/[a-z0-9-]+\.csv|[a-z]+\.json)")
    return {row[0] for row in rows[1:] if row and made.fullmatch(row[0])}
