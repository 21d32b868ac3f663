"""A paper's table as data, run again row by row on one division of one cohort; and experiments of
plugins, which need none.
"""

from __future__ import annotations

from survkit.reproduction.condition import Column, Condition
from survkit.reproduction.experiment import Experimented, run_experiment
from survkit.reproduction.published_figure import PublishedFigure
from survkit.reproduction.published_number import Mark, Published
from survkit.reproduction.published_table import Reproduction, Row
from survkit.reproduction.reproduce import Chosen, Reproduced, reproduce

__all__ = [
    "Chosen",
    "Column",
    "Condition",
    "Experimented",
    "Mark",
    "Published",
    "PublishedFigure",
    "Reproduced",
    "Reproduction",
    "Row",
    "reproduce",
    "run_experiment",
]
