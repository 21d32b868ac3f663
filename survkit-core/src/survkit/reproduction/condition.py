"""Under which conditions a paper tests its models, and on which data sets it did."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import Field, model_validator

from survkit.errors import ConfigError
from survkit.reproduction.published_number import Text
from survkit.stress.scenario import BETWEEN, split_scenario
from survkit.training_config import Count, Section

CLEAN = "clean"
"""The condition without corruption, which every table has."""


class Column(Section):
    """One of several data sets of a paper, each with its own column of numbers.

    Attributes:
        cohort: Its name. A cohort named so, or like the column, is set beside this column unless
            another is asked for.
        set: Changes of all rows' recipes when the table is run for this column, ``path=value``,
            such as the horizon.
    """

    cohort: Text
    set: list[Text] = Field(default_factory=list)


class Condition(Section):
    """Test inputs made worse; training never sees it.

    Attributes:
        corruption: What is done to a subject, as ``survkit stress`` spells it,
            ``"ct:gaussian-noise:sigma=0.1 + pet:poisson-noise:high"``.
        fraction: Share of the test subjects that it is done to.
        seeds: How often the choice of subjects and the corruption are drawn anew.
        note: What a reader must know about it.
    """

    corruption: Text
    fraction: Annotated[float, Field(gt=0, le=1)] = 0.5
    seeds: Count = 5
    note: str = ""

    @model_validator(mode="after")
    def _is_spelled_right(self) -> Condition:
        try:
            split_scenario(self.corruption)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return self

    def reaching(self, modalities: Collection[str]) -> tuple[str, tuple[str, ...]]:
        """Return the corruption of a model of these modalities, and the parts that are left out
        because it lacks theirs.

        Returns:
            The text of what is left, empty where nothing is; and the parts left out.
        """
        parts = split_scenario(self.corruption)
        kept = [part for part in parts if part.partition(":")[0].strip() in modalities]
        return BETWEEN.join(kept), tuple(part for part in parts if part not in kept)
