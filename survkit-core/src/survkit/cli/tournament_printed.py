"""What ``survkit tournament`` prints: who competes, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from survkit.cli.console import table_console

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from survkit.tournaments.tournament import Checked, TournamentResult

_CHOSEN = "chosen in each fold"

MOST_PAIRS = 12
"""More pairs than these are left to the page and the file."""


def print_entrants(checked: Checked) -> None:
    """Print who competes with which budget, and who does not fit and why."""
    from survkit.tournaments.said import by_reason, chosen_on
    from survkit.tournaments.spent import parts_of

    console, entrants = table_console(), checked.entrants
    grid = _grid(("composition", "made of", "steps at most"))
    for one in entrants.compositions:
        budget = entrants.budgets[one.name]
        steps = "–" if budget is None else f"{sum(part.steps for part in budget):,}"
        made = "; ".join(f"{role} {use}" for role, use in parts_of(one.recipe).items())
        grid.add_row(one.name, made, steps)
    console.print(grid)
    console.print(f"the best of each training part is chosen on {chosen_on(entrants.inner_folds)}")
    for names, reason in by_reason(entrants.left_out):
        console.print(f"left out: {', '.join(names)}: {reason}")


def print_result(found: TournamentResult) -> None:
    """Print the table, the pairs with the reference, and what may be concluded."""
    from survkit.tournaments.said import sentences
    from survkit.tournaments.shown import composition_cells, result_words

    content, console = found.content, table_console()
    headline = next(iter(content["metrics"]))
    console.print()
    console.print(f"{content['cause']}: {content['metrics'][headline]['label']}", style="bold")
    cells = composition_cells(content, found.seconds)
    chosen = [result_words(one) for one in content["chosen"]["results"].values()]
    grid = _grid(("composition", "concordance", "group", "rank", "chosen"))
    for one in cells:
        grid.add_row(one.name, one.results[0], one.groups, one.rank, one.chosen)
    grid.add_row(_CHOSEN, chosen[0])
    console.print(grid)
    console.print()
    grid = _grid(("composition", "integrated Brier", "parameters", "steps", "seconds"))
    for one in cells:
        grid.add_row(one.name, one.results[-1], one.parameters, one.steps, one.seconds)
    grid.add_row(_CHOSEN, chosen[-1])
    console.print(grid)
    _print_pairs(console, content, headline)
    for sentence in sentences(content):
        console.print(sentence)
    for name, reason in content["failed"].items():
        console.print(f"failed: {name}: {reason}")
    print(found.folder / "tournament.html")


def _print_pairs(console: Console, content: Mapping[str, Any], headline: str) -> None:
    """Print the pairs, or, of many, those with the reference."""
    from survkit.tournaments.shown import pair_cells

    pairs = content["pairs"][headline]
    shown = pairs
    if len(pairs) > MOST_PAIRS:
        with_it = content["reference"]
        shown = [pair for pair in pairs if with_it in (pair["first"], pair["second"])]
    console.print()
    grid = _grid(("pair", "difference", "Holm p", "corrected t, Holm p", ""))
    for first, second, difference, p, corrected, verdict in pair_cells(shown):
        grid.add_row(f"{first} – {second}", difference, p, corrected, verdict)
    console.print(grid)
    if len(shown) < len(pairs):
        console.print(f"{len(pairs) - len(shown)} more pairs are in pairs.csv.")


def _grid(headings: tuple[str, ...]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading != "made of")
    return table
