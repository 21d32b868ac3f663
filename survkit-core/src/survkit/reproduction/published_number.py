"""Numbers as a paper prints them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from survkit.training_config import NotNegative, Section

Text = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Published(Section):
    """A number that the paper prints for a row, in the first metric of the table.

    Attributes:
        value: As printed, a share: 0.734, not 73.4; all metrics of a table lie in [0, 1].
        sd: Standard deviation, where it is printed.
        note: How to read it, such as that it was derived from a difference in the text.
    """

    value: Share
    sd: NotNegative | None = None
    note: str = ""


class Mark(Section):
    """A number that the paper prints about a figure.

    Attributes:
        row: Label of the row that it is about.
        column: The paper's data set, where the table has several.
        share: Share of corrupted subjects that it holds for; the condition's where ``None``.
        value: As printed: a median of a robustness figure, a p value of a Kaplan–Meier figure.
        bound: Whether the paper prints the value itself, or that it is above or below it.
        note: How to read it.
    """

    row: Text
    column: str | None = None
    share: Share | None = None
    value: Share
    bound: Literal["exact", "above", "below"] = "exact"
    note: str = ""

    @property
    def words(self) -> str:
        """The number as a table shows it, ``> 0.1 on NSCLC``."""
        sign = {"exact": "", "above": "> ", "below": "< "}[self.bound]
        return f"{sign}{self.value:g}" + (f" on {self.column}" if self.column else "")
