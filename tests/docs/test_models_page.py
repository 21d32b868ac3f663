"""The commands of docs/models.md, as the site runs them to show the card that they make."""

from __future__ import annotations

from pathlib import Path

import pytest
from survkit_site import example_card

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_page_shows_a_card_that_was_just_made() -> None:
    """A fold's card with its held-out numbers, as one page with one heading of the first level."""
    found = example_card.pages(ROOT)
    page = found.pop(example_card.PAGE).decode()

    assert all(f"]({name})" in page for name in found)
    assert all(picture.startswith(b"\x89PNG") for picture in found.values())
    assert page.count("\n# ") == 0
    assert page.startswith("# An example of a card\n")
    assert "| `cancer_death` | Harrell's concordance, pairs within folds | highest | 0." in page
    assert "phantom-60x16-seed0" in page
    assert "<!--" not in page


def test_the_page_shows_commands() -> None:
    """From the cohort to the card."""
    assert [line[0] for line in example_card.commands(ROOT)] == ["phantom", "cv", "card"]
