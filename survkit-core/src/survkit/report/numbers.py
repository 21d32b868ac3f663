"""Numbers for the page, each taken from a file by its path and marked with both.

No number reaches the page in another way, so page and files cannot disagree; a test reads the page
and follows the marks back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from markupsafe import Markup

Style = Literal["three", "percent", "level", "count", "plain", "signed", "short", "p"]

METRICS_FILE = "metrics.json"

_FORMATS: dict[str, str] = {
    "three": "{:.3f}",
    "percent": "{:.1%}",
    "count": "{:d}",
    "plain": "{:g}",
    "signed": "{:+.3f}",
}


def shown(value: float, style: Style) -> str:
    """Return the number as the page writes it."""
    if style == "level":
        return f"{100 * value:g}%"
    if style == "p":
        return "< 0.001" if value < 0.001 else "> 0.999" if value > 0.999 else f"{value:.3f}"
    if style == "short":
        return _short(value)
    if style == "three" and 0 < abs(value) < 0.001:  # 0.000 would say nothing
        return f"{value:.1g}"
    return _FORMATS[style].format(value)


class Numbers:
    """The content of a file of numbers and how to write it.

    Args:
        metrics: Content of the file.
        source: Its name; written beside every mark that is not of ``metrics.json``.
    """

    def __init__(self, metrics: Mapping[str, Any], source: str = METRICS_FILE) -> None:
        self.metrics = metrics
        self.source = source

    def at(self, *path: str | int) -> Any:
        """Return the value at a path."""
        value: Any = self.metrics
        for step in path:
            value = value[step]
        return value

    def has(self, *path: str | int) -> bool:
        """Say whether there is something at a path; files of older versions lack some."""
        value: Any = self.metrics
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return False
        return value is not None

    def number(self, *path: str | int, style: Style = "three") -> Markup:
        """Write one number with its mark; a dash where the file has null."""
        value = self.at(*path)
        if value is None:
            return Markup("–")
        return self._marked(shown(value, style), path, style)

    def share(self, *path: str | int, of: tuple[str | int, ...]) -> Markup:
        """Write one count as a percentage of another; a dash where that is zero."""
        whole = self.at(*of)
        if not whole:
            return Markup("–")
        text = shown(self.at(*path) / whole, "percent")
        return self._marked(text, path, "percent", over=_mark(of))

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

    def _marked(
        self, text: str, path: tuple[str | int, ...], style: Style, over: str = ""
    ) -> Markup:
        source = "" if self.source == METRICS_FILE else self.source
        extra = Markup(' data-source="{}"').format(source) if source else Markup("")
        extra += Markup(' data-over="{}"').format(over) if over else Markup("")
        return Markup('<span data-key="{}" data-style="{}"{}>{}</span>').format(
            _mark(path), style, extra, text
        )

    def _without_interval(self, method: str) -> Markup:
        if not self.has("settings", "replicates") or not self.at("settings", "replicates"):
            return Markup("")
        return Markup(' <span class="interval" title="{}">(no interval)</span>').format(method)

    def defined(self, *path: str | int) -> bool:
        """Say whether there is an estimate."""
        return self.has(*path) and "reason" not in self.at(*path)


def _mark(path: tuple[str | int, ...]) -> str:
    return "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _short(value: float) -> str:
    """Three digits or so, for columns of unknown size."""
    rounded = float(f"{value:.3g}")
    size = abs(rounded)
    if size >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.1 else f"{value:.2g}"
