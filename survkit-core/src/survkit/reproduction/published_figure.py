"""A figure that a paper shows of its rows under a condition, and the numbers it prints about it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from survkit.reproduction.published_number import Mark, Share, Text
from survkit.training_config import Section


class PublishedFigure(Section):
    """What is drawn.

    Attributes:
        kind: ``"robustness"``, box plots of the table's first metric over folds and seeds against
            the share of corrupted subjects; or ``"kaplan-meier"``, the observed survival of the
            halves of predicted risk with a log-rank test.
        condition: Name of the table's condition.
        shares: Of corrupted subjects, increasing, for the box plots.
        published: What the paper prints about it.
    """

    kind: Literal["robustness", "kaplan-meier"]
    condition: Text
    shares: Annotated[list[Share], Field(min_length=2)] = Field(
        default_factory=lambda: [step / 10 for step in range(11)]
    )
    published: list[Mark] = Field(default_factory=list)

    @model_validator(mode="after")
    def _shares_increase(self) -> PublishedFigure:
        if sorted(set(self.shares)) != self.shares:
            raise ValueError(f"shares: increasing, each once, not {self.shares}")
        return self

    def marks(self, row: str, column: str | None) -> list[Mark]:
        """Return what is printed about a row, of one data set or, where none is given, of all."""
        return [
            mark
            for mark in self.published
            if mark.row == row and (column is None or mark.column in (None, column))
        ]
