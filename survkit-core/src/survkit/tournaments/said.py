"""What may be concluded from a tournament, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survkit.tournaments.tournament_file import CHOSEN

_OPTIMISM = (
    "The best of many is too good: the same test subjects made it the best and measured it. What "
    "training all of these and taking the best gives on new subjects is the line 'chosen': in each "
    "fold the composition of the best score inside the training part was taken, before its test "
    "subjects were looked at, and what it predicted for them is measured."
)
_NO_PROOF = (
    "Compositions of one group were not shown to differ (permutation test by {unit}, Holm over all "
    "pairs); that is no proof that they are equal."
)
_VALIDATION = (
    "Chosen on the validation part, which also chose each network's epoch, but not as often in "
    "each: a score there is the more too good, the more was looked at, a baseline's not at all. "
    "--inner-folds 3 chooses on subjects whom none has looked at."
)


def sentences(content: Mapping[str, Any]) -> list[str]:
    """Return the sentences of the page and of the command line, the numbers first."""
    unit = content["settings"]["unit"]
    said = [*_numbers(content), _OPTIMISM, _NO_PROOF.format(unit=unit)]
    if not content["settings"]["fair_choice"]:
        said.append(_VALIDATION)
    if not content["settings"]["equal_budget"]:
        said.append(
            "The networks' budgets differ, as was asked: a difference between them may be one of "
            "budget."
        )
    return said


def chosen_on(inner_folds: int) -> str:
    """Return in words on whom the best is chosen."""
    return "its validation part" if inner_folds == 1 else f"{inner_folds} inner folds"


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
    asked = content["settings"]["reference_asked"]
    if asked is not None and asked != content["reference"]:
        said.append(f"The reference {asked} failed, so the others are shown against the best.")
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
