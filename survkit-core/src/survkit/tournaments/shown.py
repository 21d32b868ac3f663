"""Cells of the tables, for the page and the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from survkit.tournaments.group_letter import group_letter


class CompositionCells(NamedTuple):
    """One composition in words.

    Attributes:
        name: Of the composition.
        parts: What it is made of.
        results: Of every metric.
        groups: Letters of those it cannot be told apart from.
        rank: Mean rank over folds.
        chosen: In how many folds it was chosen.
        parameters: Of the network.
        steps: Optimizer steps of the models kept, and at most.
        seconds: Measured.
    """

    name: str
    parts: str
    results: list[str]
    groups: str
    rank: str
    chosen: str
    parameters: str
    steps: str
    seconds: str


def composition_cells(
    content: Mapping[str, Any], seconds: Mapping[str, Any]
) -> list[CompositionCells]:
    """Return the compositions, the best first, as the groups order them."""
    order = list(dict.fromkeys(name for group in content["groups"] for name in group))
    found = content["compositions"]
    folds = len(content["chosen"]["folds"])
    return [
        CompositionCells(
            name=name,
            parts="; ".join(f"{role} {use}" for role, use in found[name]["parts"].items()),
            results=[result_words(found[name]["results"][key]) for key in content["metrics"]],
            groups=" ".join(group_letter(number) for number in found[name]["groups"]),
            rank=_number(found[name]["rank"]["mean"], "{:.2f}"),
            chosen=f"{found[name]['chosen_in']} of {folds}",
            parameters=_number((found[name]["spent"] or {}).get("parameters"), "{:,}"),
            steps=_steps(found[name]),
            seconds=_seconds(seconds.get(name, {})),
        )
        for name in order
    ]


def pair_cells(pairs: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return first, second, difference, adjusted p-values and verdict of each pair."""
    return [
        (
            pair["first"],
            pair["second"],
            result_words(pair["difference"], "{:+.3f}"),
            _number(pair["p_holm"], "{:.4f}"),
            _number(pair["corrected_t_p_holm"], "{:.4f}"),
            pair["verdict"],
        )
        for pair in pairs
    ]


def result_words(result: Mapping[str, Any], style: str = "{:.3f}") -> str:
    """Return a value with its interval, or that there is none."""
    if "reason" in result:
        return "not defined"
    words = style.format(result["value"])
    interval = result["interval"]
    if interval is None:
        return words
    return f"{words} ({style.format(interval['lower'])} to {style.format(interval['upper'])})"


def _steps(one: Mapping[str, Any]) -> str:
    if one["budget"] is None:
        return "–"
    return f"{one['spent']['steps']:,} of {one['budget']['steps']:,}"


def _seconds(own: Mapping[str, Any]) -> str:
    if not own:
        return "–"
    total = sum(part["seconds"] for part in own.values())
    least = any(part["at_least"] for part in own.values())
    return f"{'at least ' if least else ''}{total:,.1f}"


def _number(value: float | None, style: str) -> str:
    return "–" if value is None else style.format(value)
