"""The ``outcome`` section of a recipe: until when, and on which grid, statements are made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from survkit.training_config import Count, Positive, Section


class GridConfig(Section):
    """The discrete time grid.

    Attributes:
        kind: Equal intervals up to the horizon, intervals with equal numbers of training events, or
            given edges.
        intervals: Number of intervals.
        edges: Right edges, for ``kind: edges``; the last is the horizon.
    """

    kind: Literal["uniform", "quantile", "edges"] = "uniform"
    intervals: Count = 20
    edges: list[Positive] | None = None

    @model_validator(mode="after")
    def _edges_where_asked(self) -> GridConfig:
        if (self.kind == "edges") != (self.edges is not None):
            raise ValueError("edges are given with kind: edges, and only there")
        return self


class OutcomeConfig(Section):
    """Until when, and on which grid, statements are made.

    Attributes:
        horizon: In ``unit``.
        unit: Must be the cohort's unit, so that 730 days are never read as 730 months.
        grid: The discrete time grid.
        evaluation_points: Number of equidistant times up to the horizon at which predictions are
            kept; "edges" for those of the time grid, which must then not depend on the data.
    """

    horizon: Positive
    unit: Literal["days", "months", "years"] = "days"
    grid: GridConfig = GridConfig()
    evaluation_points: Annotated[int, Field(ge=2)] | Literal["edges"] = 50

    @model_validator(mode="after")
    def _edges_are_known(self) -> OutcomeConfig:
        if self.evaluation_points == "edges" and self.grid.kind == "quantile":
            raise ValueError(
                "evaluation_points: edges needs a grid of kind uniform or edges; those of "
                "quantiles differ between training parts"
            )
        return self
