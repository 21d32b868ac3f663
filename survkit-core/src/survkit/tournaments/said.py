"""What may be concluded from a tournament, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survkit.tournaments.choose_best import CHOSEN

OPTIMISM = (
    "The best of many is too good: the same test subjects made it the best and measured it. What "
    "training all of these and taking the best gives on new subjects is the line 'chosen': in each "
    "fold the composition of the best score inside the training part was taken, before its test "
    "subjects were looked at, and what it predicted for them is measured."
)
NO_PROOF = (
    "Compositions of one group were not shown to differ (permutation test by subject, Holm over "
    "all pairs); that is no proof that they are equal."
)
_VALIDATION = (
    "Chosen on the validation part, which also chose each network's epoch: a network's score there "
    "is a little too good, a baseline's is not (it was fitted once more without these subjects). "
    "Where both compete, --inner-folds 3 chooses fairly."
)


def sentences(content: Mapping[str, Any]) -> list[str]:
    """Return the sentences of the page and of the command line, the numbers first."""
    said = [*_numbers(content), OPTIMISM, NO_PROOF]
    kinds = {"baseline" in one["parts"] for one in content["compositions"].values()}
    if content["settings"]["inner_folds"] == 1 and kinds == {True, False}:
        said.append(_VALIDATION)
    if not content["settings"]["equal_budget"]:
        said.append(
            "The networks' budgets differ, as was asked: a difference between them may be one of "
            "budget."
        )
    return said


def by_reason(reasons: Mapping[str, str]) -> list[tuple[list[str], str]]:
    """Return the names that have one and the same reason together, in the order of writing."""
    found: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        found.setdefault(reason, []).append(name)
    return [(names, reason) for reason, names in found.items()]


def _numbers(content: Mapping[str, Any]) -> list[str]:
    best, found = content["best"], content[CHOSEN]
    key = next(iter(content["metrics"]))
    chosen = found["results"][key]
    if best is None or "value" not in chosen:
        return []
    top = content["compositions"][best]["results"][key]
    words = (
        f"The best of the table, {best}, has {top['value']:.3f}; choosing inside each fold has "
        f"{chosen['value']:.3f}"
    )
    said = [f"{words}{_between(found['best_minus_chosen'], 'the best minus the chosen is')}."]
    against = found["against_reference"]
    if against is not None and "p_value" in against["permutation"]:
        words = _between(against["difference"], "its difference to it is")
        said.append(
            f"Choosing against the reference {content['reference']}{words}, "
            f"p = {against['permutation']['p_value']:.4f} (one paired permutation test; it counts "
            "where the reference was named beforehand)."
        )
    return said


def _between(difference: Mapping[str, Any] | None, words: str) -> str:
    if difference is None or "reason" in difference:
        return ""
    interval = difference["interval"]
    bounds = "" if interval is None else f" ({interval['lower']:+.3f} to {interval['upper']:+.3f})"
    return f": {words} {difference['value']:+.3f}{bounds}"
