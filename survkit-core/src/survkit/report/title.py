"""What the page is called."""

from __future__ import annotations

from survkit.report.numbers import Numbers
from survkit.report.run_facts import RunFacts


def page_title(given: str, facts: RunFacts, numbers: Numbers) -> str:
    """Return the given title, the recipe's, or what was predicted from what for whom."""
    titled = given or str(facts.recipe.get("title") or "")
    if titled:
        return titled
    what = f"Predicting {' and '.join(numbers.at('causes'))}"
    if facts.modalities:
        what += f" from {' + '.join(facts.modalities)}"
    elif numbers.at("model"):
        what += f" with {numbers.at('model')}"
    return f"{what} in {facts.cohort}" if facts.cohort else what
