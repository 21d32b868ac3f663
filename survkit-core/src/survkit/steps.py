"""Steps of a long work, counted for a progress bar."""

from __future__ import annotations

from collections.abc import Callable


class Steps:
    """Counts what is done, and tells it.

    Args:
        total: How many steps there are.
        tell: Told how many are done, and of how many; ``None`` for nobody.
    """

    def __init__(self, total: int, tell: Callable[[int, int], None] | None) -> None:
        self.done, self.total, self.tell = 0, total, tell

    def __call__(self, count: int) -> None:
        """Count so many more."""
        self.done += count
        if self.tell is not None:
            self.tell(self.done, self.total)
