"""The half sentence that helps after a misspelt name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def close_matches(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three known names that ``name`` may be misspelt from, best first.

    A name such as ``"plugin/part"`` is also found by something close to ``"part"`` alone.
    """
    names = list(known)
    spelt = {candidate.rpartition("/")[2].lower(): candidate for candidate in names}
    spelt |= {candidate.lower(): candidate for candidate in names}
    close = get_close_matches(name.lower(), list(spelt), n=3, cutoff=0.6)
    return list(dict.fromkeys(spelt[match] for match in close))


def did_you_mean(name: str, known: Iterable[str], *, limit: int = 24) -> str:
    """Return ``"Did you mean 'x'? Known: a, b, x."``, without the question where nothing is close.

    Args:
        name: What was asked.
        known: What could have been asked.
        limit: Longer lists of known names are cut and say how many were left out.
    """
    names = sorted(set(known))
    if not names:
        return "None is known."
    close = " or ".join(repr(match) for match in close_matches(name, names))
    question = f"Did you mean {close}? " if close else ""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"{question}Known: {', '.join(names[:limit])}{more}."
