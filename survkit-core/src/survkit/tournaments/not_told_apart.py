"""Groups of compositions of which no two can be told apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def not_told_apart(
    names: Sequence[str], different: Collection[tuple[str, str]]
) -> list[tuple[str, ...]]:
    """Return the largest sets without a pair that was shown to differ.

    A composition can be in several: a may not be told from b nor b from c, and yet a from c. Being
    in one set is no proof of being equal.

    Args:
        names: In the order in which sets and their members are returned, such as best first.
        different: Pairs whose difference was shown, in either order.

    Reference: the insert-and-absorb algorithm of Piepho (2004), J. Comput. Graph. Stat. 13:456.

    >>> not_told_apart(["a", "b", "c"], [("a", "c")])
    [('a', 'b'), ('b', 'c')]
    """
    groups: list[set[str]] = [set(names)]
    for first, second in different:
        split: list[set[str]] = []
        for group in groups:
            if {first, second} <= group:
                split += [group - {first}, group - {second}]
            else:
                split.append(group)
        groups = _absorbed(split)
    place = {name: number for number, name in enumerate(names)}
    ordered = [tuple(sorted(group, key=place.__getitem__)) for group in groups if group]
    return sorted(ordered, key=lambda group: [place[name] for name in group])


def _absorbed(groups: Sequence[set[str]]) -> list[set[str]]:
    """Leave out what lies within another group, and doubles."""
    kept: list[set[str]] = []
    for group in sorted(groups, key=len, reverse=True):
        if not any(group <= other for other in kept):
            kept.append(group)
    return kept
