"""Numbers for the page, each taken from ``metrics.json`` by its path and marked with it.

No number reaches the page in another way, so page and file cannot disagree; a test reads the page
and follows the marks back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from markupsafe import Markup

Style = Literal["three", "percent", "level", "count", "plain"]

_FORMATS: dict[str, str] = {
    "three": "{:.3f}",
    "percent": "{:.1%}",
    "count": "{:d}",
    "plain": "{:g}",
}


def shown(value: float, style: Style) -> str:
    """Return the number as the page writes it."""
    return f"{100 * value:g}%" if style == "level" else _FORMATS[style].format(value)


class Numbers:
    """The content of ``metrics.json`` and how to write it."""

    def __init__(self, metrics: Mapping[str, Any]) -> None:
        self.metrics = metrics

    def at(self, *path: str | int) -> Any:
        """Return the value at a path."""
        value: Any = self.metrics
        for step in path:
            value = value[step]
        return value

    def number(self, *path: str | int, style: Style = "three") -> Markup:
        """Write one number with its mark; a dash where the file has null."""
        value = self.at(*path)
        if value is None:
            return Markup("–")
        mark = "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in path)
        return Markup('<span data-key="{}" data-style="{}">{}</span>').format(
            mark, style, shown(value, style)
        )

    def result(self, *path: str | int, style: Style = "three", words: str = "") -> Markup:
        """Write an estimate with its interval, or why there is none.

        Args:
            path: Where the estimate is.
            style: Of value and bounds.
            words: Said before the interval.
        """
        found = self.at(*path)
        if "reason" in found:
            return Markup('<span class="undefined">not defined: {}</span>').format(found["reason"])
        value = self.number(*path, "value", style=style)
        if found["interval"] is None:
            return value + self._without_interval(found["method"])
        return Markup('{} <span class="interval">({}{} to {})</span>').format(
            value,
            words,
            self.number(*path, "interval", "lower", style=style),
            self.number(*path, "interval", "upper", style=style),
        )

    def _without_interval(self, method: str) -> Markup:
        if not self.at("settings", "replicates"):
            return Markup("")
        return Markup(' <span class="interval" title="{}">(no interval)</span>').format(method)

    def defined(self, *path: str | int) -> bool:
        """Say whether there is an estimate."""
        return "reason" not in self.at(*path)
