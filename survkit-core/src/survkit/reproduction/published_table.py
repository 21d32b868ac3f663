"""A table that a paper published, as data: its rows, the recipe of each, and the numbers printed.

It says what was reported, and what to run to get the same row on a cohort of one's own. A number
that the paper does not give is absent, never filled.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from survkit.comparison.comparable_metrics import metric_keys
from survkit.errors import ConfigError, UserError
from survkit.registry import Registry
from survkit.safe_yaml import parse_yaml, read_yaml
from survkit.suggest import did_you_mean
from survkit.training_config import Count, NotNegative, Section
from survkit.validation import validate

Finite = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]
_NAME = r"^[A-Za-z0-9][A-Za-z0-9 ()+._-]*$"  # no comma: --rows separates by it


class Published(Section):
    """A number that the paper prints for a row, in the first metric of the table.

    Attributes:
        value: As printed.
        sd: Standard deviation, where it is printed.
        note: How to read it, such as that it was derived from a difference in the text.
    """

    value: Finite
    sd: NotNegative | None = None
    note: str = ""


class Row(Section):
    """One row of the table.

    Attributes:
        label: Its heading; also its name on the command line.
        recipe: A registered name, or a file.
        set: Changes of the recipe, ``path=value``.
        published: What the paper prints; ``None`` where it prints nothing that can be used.
        init_from: Name of the trained weights that the row starts from, which are given when it is
            run; ``None`` where it starts as the recipe says.
    """

    label: Annotated[str, Field(pattern=_NAME)]
    recipe: Text
    set: list[Text] = Field(default_factory=list)
    published: Published | None = None
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
        cohort: Name of the cohort that the paper used.
        protocol: How the paper came to its numbers, in a sentence.
        metrics: What is compared, by the names of ``survkit compare``; the published numbers are of
            the first.
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
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """The metrics by their keys in ``metrics.json``."""
        return metric_keys(self.metrics)

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
