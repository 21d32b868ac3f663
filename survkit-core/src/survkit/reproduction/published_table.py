"""A table that a paper published, as data: its rows, the recipe of each, and the numbers printed.

It says what was reported, and what to run to get the same row on a cohort of one's own. A number
that the paper does not give is absent, never filled.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from survkit.comparison.comparable_metrics import metric_keys
from survkit.errors import ConfigError, UserError
from survkit.registry import Registry
from survkit.reproduction.condition import CLEAN, Column, Condition
from survkit.reproduction.published_figure import PublishedFigure
from survkit.reproduction.published_number import Mark, Published, Text
from survkit.safe_yaml import parse_yaml, read_yaml
from survkit.suggest import did_you_mean
from survkit.training_config import Count, Section
from survkit.validation import validate

_NAME = r"^[A-Za-z0-9][A-Za-z0-9 ()+._-]*$"  # no comma: --rows separates by it

_Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 &()._-]*$")]


class Row(Section):
    """One row of the table.

    Attributes:
        label: Its heading; also its name on the command line.
        recipe: A registered name, or a file.
        set: Changes of the recipe, ``path=value``.
        published: What the paper prints; ``None`` where it prints nothing that can be used.
        columns: The same of a table with several data sets: by data set, by condition.
        init_from: Name of the trained weights that the row starts from, which are given when it is
            run; ``None`` where it starts as the recipe says.
    """

    label: Annotated[str, Field(pattern=_NAME)]
    recipe: Text
    set: list[Text] = Field(default_factory=list)
    published: Published | None = None
    columns: dict[str, dict[str, Published]] = Field(default_factory=dict)
    init_from: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")] | None = None

    @property
    def slug(self) -> str:
        """Name of the row's folder."""
        return re.sub(r"[^a-z0-9._]+", "-", self.label.lower()).strip("-.")


class Reproduction(Section):
    """A published table.

    Attributes:
        title: One line, with the number of the table.
        source: The paper, so that it can be found.
        cohort: Name of the cohort that the paper used, or of all of them in words.
        protocol: How the paper came to its numbers, in a sentence.
        metrics: What is compared, by the names of ``survkit compare``; the published numbers are of
            the first.
        columns: By the name the paper gives them, its data sets, where it has several.
        conditions: By name, conditions under which its models are tested, beside ``clean``.
        figure: A figure of the rows, drawn beside the table.
        folds: Test parts, unless something else is asked.
        reference: Label of the row that all others are compared with; the first by default.
        rows: In the order of the table.
        notes: What a reader must know, one sentence each.
    """

    title: Text
    source: Text
    cohort: Text
    protocol: str = ""
    metrics: Annotated[list[Text], Field(min_length=1)]
    columns: dict[_Key, Column] = Field(default_factory=dict)
    conditions: dict[_Key, Condition] = Field(default_factory=dict)
    figure: PublishedFigure | None = None
    folds: Annotated[Count, Field(ge=2)] = 10
    reference: str | None = None
    rows: Annotated[list[Row], Field(min_length=1)]
    notes: list[Text] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_are_clear(self) -> Reproduction:
        try:
            metric_keys(self.metrics)
        except ConfigError as error:
            raise ValueError(f"metrics: {error}") from error
        seen: dict[str, str] = {}
        for row in self.rows:
            if row.slug in seen:
                raise ValueError(f"rows: {seen[row.slug]!r} and {row.label!r} are named alike")
            seen[row.slug] = row.label
        if self.reference is not None:
            self._row(self.reference, "reference")
        if CLEAN in self.conditions:
            raise ValueError(f"conditions: '{CLEAN}' is every table's own, the inputs as they are")
        for row in self.rows:
            self._check_published(row)
        if self.figure is not None:
            self._known(self.figure.condition, self.conditions, "figure.condition")
            for mark in self.figure.published:
                self._check_mark(mark)
        return self

    def _check_published(self, row: Row) -> None:
        """Refuse numbers of data sets or conditions that the table does not have."""
        if row.published is not None and self.columns:
            raise ValueError(
                f"rows: '{row.label}' has a published number of no data set, but the table has "
                "several; write it under columns"
            )
        for column, found in row.columns.items():
            self._known(column, self.columns, f"rows: columns of '{row.label}'")
            for condition in found:
                known = [CLEAN, *self.conditions]
                self._known(condition, known, f"rows: columns.{column} of '{row.label}'")

    def _check_mark(self, mark: Mark) -> None:
        self._row(mark.row, "figure.published")
        if mark.column is not None:
            self._known(mark.column, self.columns, "figure.published.column")

    @staticmethod
    def _known(name: str, known: Collection[str], asked: str) -> None:
        if name not in known:
            raise ValueError(f"{asked}: there is no {name!r}. {did_you_mean(name, known)}")

    def column(self, name: str | None, cohort: str) -> str | None:
        """Return the column to set ours beside: the one asked for, else that of the cohort's name,
        else none.

        Raises:
            ConfigError: The table has no such column.
        """
        if name is None:
            alike = [key for key in self.columns if self.is_about(key, cohort)]
            return alike[0] if alike else None
        try:
            self._known(name, self.columns, "column")
        except ValueError as error:
            raise ConfigError(str(error)) from error
        return name

    def is_about(self, column: str | None, cohort: str) -> bool:
        """Whether the numbers of a column, or of a table without, are about a cohort of this name;
        a column's own name counts too.
        """
        names = [self.cohort] if column is None else [self.columns[column].cohort, column]
        return cohort.casefold() in [name.casefold() for name in names]

    @property
    def keys(self) -> tuple[str, ...]:
        """The metrics by their keys in ``metrics.json``."""
        return metric_keys(self.metrics)

    @property
    def prints_numbers(self) -> bool:
        """Whether anything is published, of a row or about the figure; a table of one's own has
        none.
        """
        marks = [] if self.figure is None else self.figure.published
        return bool(marks) or any(row.published or row.columns for row in self.rows)

    @property
    def reference_row(self) -> Row:
        """The row that all others are compared with."""
        return self.rows[0] if self.reference is None else self._row(self.reference, "reference")

    def chosen(self, names: Sequence[str]) -> tuple[Row, ...]:
        """Return the rows of these labels (or folder names) in the order of the table; all rows
        where there are none.

        Raises:
            ConfigError: No row is named so.
        """
        try:
            wanted = [self._row(name, "rows") for name in names]
        except ValueError as error:
            raise ConfigError(str(error)) from error
        return tuple(row for row in self.rows if not wanted or row in wanted)

    def _row(self, name: str, asked: str) -> Row:
        for row in self.rows:
            if name.strip() in (row.label, row.slug):
                return row
        known = [row.label for row in self.rows]
        raise ValueError(f"{asked}: no row is named {name!r}. {did_you_mean(name, known)}")

    @classmethod
    def parse(cls, data: object, *, source: str) -> Reproduction:
        """Validate plain data.

        Raises:
            ConfigError: One line with the source, the key, what was expected and what came.
        """
        return validate(cls, data, source=source)

    @classmethod
    def read(cls, name: str | Path, *, registry: Registry | None = None) -> Reproduction:
        """Read a file, or a table that a plugin ships, by its registry name.

        Args:
            name: A path that exists or ends in .yaml or .yml, else a registered name such as
                ``slicetention/table4``.
            registry: Where names are looked up; the process-wide one by default.
        """
        path = Path(name)
        if path.suffix in {".yaml", ".yml"} or path.is_file():
            return cls.parse(read_yaml(path), source=str(path))
        if registry is None:
            from survkit.plugins import default_registry

            registry = default_registry()
        text = registry.find("reproduction", str(name)).load()
        where = f"reproduction {name}"
        return cls.parse(parse_yaml(text, source=where), source=where)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that :meth:`parse` reads back to an equal table."""
        return self.model_dump(mode="json")


def row_error(row: Row, error: UserError) -> UserError:
    """Return the error as one of a row, which can be left out."""
    return type(error)(f"row '{row.label}': {error}; --rows runs the others without it")
