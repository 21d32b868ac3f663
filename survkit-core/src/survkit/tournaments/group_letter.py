"""Letters of groups, as tables of pairwise comparisons have them."""

from __future__ import annotations


def group_letter(number: int) -> str:
    """Return a, b, …, z, aa, ab, … for 0, 1, …, 25, 26, 27, ….

    >>> [group_letter(number) for number in (0, 25, 26)]
    ['a', 'z', 'aa']
    """
    letters = ""
    number += 1
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(ord("a") + place) + letters
    return letters
