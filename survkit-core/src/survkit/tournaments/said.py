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


def _numbers(content: Mapping[str, Any]) -> list[str]:
    best, found = content["best"], content[CHOSEN]
    key = next(iter(content["metrics"]))
    chosen = found["results"][key]
    if best is None or "value" not in chosen:
        return []
    top = content["compositions"][best]["results"][key]
    words = f"The best of the table, {best}, has {top['value']:.3f}; choosing has "
    words += f"{chosen['value']:.3f}"
    difference = found["best_minus_chosen"]
    interval = (difference or {}).get("interval")
    if interval is not None:
        words += (
            f", {difference['value']:+.3f} ({interval['lower']:+.3f} to {interval['upper']:+.3f}) "
            "from there to the best"
        )
    return [f"{words}."]
