"""A paper's table as data, run again row by row on one division of one cohort."""

from __future__ import annotations

from survkit.reproduction.published_table import Published, Reproduction, Row
from survkit.reproduction.reproduce import Chosen, Reproduced, reproduce

__all__ = ["Chosen", "Published", "Reproduced", "Reproduction", "Row", "reproduce"]
