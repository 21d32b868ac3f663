"""The bar that counts images before a training: where it is drawn, and what it leaves."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from survkit.training.reading_bar import reading_bar


def drawn(*, shown: bool, terminal: bool) -> str:
    """Count two of three images and return what was drawn by then."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80)
    with reading_bar(shown=shown, console=console) as told:
        told(1, 3)
        told(2, 3)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_how_many_images_are_read() -> None:
    """The title and the count are there."""
    text = drawn(shown=True, terminal=True)

    assert "reading images" in text
    assert "2/3" in text


@pytest.mark.parametrize(("shown", "terminal"), [(True, False), (False, True)])
def test_nothing_is_drawn_for_a_file_or_where_it_is_not_wanted(shown: bool, terminal: bool) -> None:
    """Not even an empty line."""
    assert drawn(shown=shown, terminal=terminal) == ""
