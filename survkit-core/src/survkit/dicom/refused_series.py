"""The one error of a series that cannot be used."""

from __future__ import annotations

from survkit.errors import DataError


class RefusedSeriesError(DataError):
    """A series cannot be used; ``rule`` names why in a word or two."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule

    def __reduce__(self) -> tuple[type[RefusedSeriesError], tuple[str, str]]:
        """Travel between processes with both words: workers raise it, the parent reads it."""
        return RefusedSeriesError, (self.rule, str(self))
