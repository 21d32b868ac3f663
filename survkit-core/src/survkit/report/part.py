"""A part of a section: a heading with its pictures, sentences and tables."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from survkit.report.figure import Picture
from survkit.report.page_files import PageFiles
from survkit.report.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPart:
    """What belongs under one heading.

    Attributes:
        anchor: Where links lead.
        title: Heading.
        pictures: Figures, side by side where there is room.
        notes: Sentences under them.
        tables: Tables under those.
    """

    anchor: str
    title: str
    pictures: tuple[Picture, ...] = ()
    notes: tuple[Markup, ...] = ()
    tables: tuple[Table, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pictures or self.notes or self.tables)


def kept(
    files: PageFiles, pictures: dict[str, Picture | None], tables: tuple[Table | None, ...] = ()
) -> tuple[tuple[Picture, ...], tuple[Table, ...]]:
    """Keep the pictures (by file name) and tables that are there, and return them."""
    drawn = tuple(files.picture(name, one) for name, one in pictures.items() if one is not None)
    return drawn, tuple(files.table(one) for one in tables if one is not None)
