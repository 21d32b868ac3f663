"""A table of the page, and the same as plain rows for a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

Record = Mapping[str, Any]
"""One row of the file: unrounded numbers under plain names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its first column as row headings.

    Attributes:
        title: Heading.
        caption: What it shows.
        labels: Heading of each column.
        rows: Cells of the page.
        name: Of its file, without the ending; made of the title where empty.
        records: Rows of the file; the cells of the page without their marks where empty.
        stacked: On a phone each row becomes a block; else the table scrolls sideways.
        folded: Behind a heading to open, because few readers need it.
    """

    title: str
    caption: str
    labels: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    name: str = ""
    records: tuple[Record, ...] = ()
    stacked: bool = False
    folded: bool = False

    @property
    def anchor(self) -> str:
        """Where links lead."""
        return f"t-{self.file}"

    @property
    def file(self) -> str:
        """Name of the file, without the ending."""
        return slug(self.name or self.title)

    def to_csv(self) -> str:
        """Return the rows for a spreadsheet or a script."""
        records = self.records or [
            dict(zip(self.labels, map(_plain, row), strict=True)) for row in self.rows
        ]
        text = io.StringIO()
        columns = list(dict.fromkeys(name for record in records for name in record))
        writer = csv.DictWriter(text, columns or list(self.labels), lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(records)
        return text.getvalue()


def slug(name: str) -> str:
    """Return a file name that every system takes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unnamed"


def flat(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return an estimate (or why there is none) of a file of numbers as plain columns."""
    interval = result.get("interval") or {}
    return {
        "value": result.get("value"),
        "lower": interval.get("lower"),
        "upper": interval.get("upper"),
        "level": interval.get("level"),
        "n": result.get("n"),
        "events": result.get("events"),
        "not_defined": result.get("reason"),
    }


def tables_of(*found: Table | Sequence[Table] | None) -> tuple[Table, ...]:
    """Return those that are there."""
    tables: list[Table] = []
    for one in found:
        if isinstance(one, Table):
            tables.append(one)
        elif one is not None:
            tables += one
    return tuple(tables)


def _plain(cell: Any) -> str:
    return cell.striptags() if isinstance(cell, Markup) else str(cell)
