"""What an experiment finds, as plain data: the core writes the tables and draws the curves.

See :class:`survkit.protocols.Experiment`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from survkit.errors import DataError


@dataclass(frozen=True, slots=True)
class Measure:
    """One number that was measured with one seed.

    Attributes:
        name: What it is, with its unit where it has one; unique within the findings.
        value: Finite; NaN where it cannot be computed, and then ``reason`` says why.
        reference: Lowest and highest value to expect, both the same where there is but one;
            ``None`` where nothing is known.
        reason: Empty for a finite value.
    """

    name: str
    value: float
    reference: tuple[float, float] | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if math.isinf(self.value) or math.isnan(self.value) != bool(self.reason):
            raise DataError(
                f"measure {self.name!r}: a value is finite, or NaN with a reason, "
                f"not {self.value} with the reason {self.reason!r}"
            )


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a figure, measured with one seed.

    Attributes:
        figure: Name of the figure.
        label: Of the line; unique within the figure.
        x: Increasing, the same for every seed.
        y: Finite, one per x.
    """

    figure: str
    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or not all(map(math.isfinite, (*self.x, *self.y))):
            raise DataError(
                f"curve {self.label!r} of {self.figure!r}: x and y are finite and equally many, "
                f"not {len(self.x)} and {len(self.y)} with {self.y}"
            )


@dataclass(frozen=True, slots=True)
class Findings:
    """What one seed gives for one part of an experiment; the same names for every seed."""

    measures: tuple[Measure, ...]
    curves: tuple[Curve, ...] = ()


@dataclass(frozen=True, slots=True)
class ExperimentFigure:
    """A figure with a panel for every part of an experiment.

    Attributes:
        name: Lower case letters, digits and hyphens; its file is called so.
        title: One line.
        x_label: With the unit.
        y_label: With the unit.
        caption: How to read it.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPlan:
    """What an experiment does, said before it is run.

    Attributes:
        title: One line.
        source: What is studied and after whom, in a sentence or two.
        reference: Heading of the column of expected values: whose they are.
        parts: Names of the settings that are studied one by one, in the order of the table.
        figures: What is drawn of the curves.
        notes: What a reader must know, a sentence each.
    """

    title: str
    source: str
    reference: str
    parts: tuple[str, ...]
    figures: tuple[ExperimentFigure, ...] = ()
    notes: tuple[str, ...] = ()
