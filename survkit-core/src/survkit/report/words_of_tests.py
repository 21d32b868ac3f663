"""Tests of an evaluation in words."""

from __future__ import annotations

from markupsafe import Markup

from survkit.report.numbers import Numbers, shown


def log_rank_words(numbers: Numbers, cause: str) -> tuple[Markup, ...]:
    """Say what the log-rank test of the risk groups found; nothing where the file has none."""
    words = _test(numbers, cause, "log_rank", "Log-rank test between the groups")
    if words is None:
        return ()
    if len(numbers.at("causes")) > 1:
        words += Markup(
            " It compares the rates of {} among those still event-free (cause-specific), not the "
            "curves of incidence; Gray's test would, and is another test."
        ).format(cause)
    return (words,)


def d_calibration_words(numbers: Numbers, cause: str) -> tuple[Markup, ...]:
    """Say what D-calibration found; nothing where the file has none."""
    words = _test(numbers, cause, "d_calibration", "D-calibration")
    if words is None:
        return ()
    return (
        words
        + Markup(
            " A small p-value says that predicted probabilities are not spread as they should be; "
            "a large one is no proof that they are."
        ),
    )


def p_words(numbers: Numbers, *path: str | int) -> Markup:
    """Write a p-value with its sign."""
    written = shown(numbers.at(*path), "p")
    sign = "p " if written.startswith(("<", ">")) else "p = "
    return Markup('<span class="tight">{}{}</span>').format(sign, numbers.number(*path, style="p"))


def _test(numbers: Numbers, cause: str, key: str, name: str) -> Markup | None:
    base = ("causes", cause, "tests", key)
    if not numbers.has(*base):
        return None
    if not numbers.defined(*base):
        return Markup('{}: <span class="undefined">not defined: {}</span>.').format(
            name, str(numbers.at(*base, "reason")).rstrip(".")
        )
    return Markup("{}: χ² = {} with {} degrees of freedom, {}.").format(
        name,
        numbers.number(*base, "statistic", style="short"),
        numbers.number(*base, "degrees_of_freedom", style="plain"),
        p_words(numbers, *base, "p_value"),
    )
