"""``tournament.html``: one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files as resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from survkit.report.figure import Picture
from survkit.tournaments.said import by_reason, sentences
from survkit.tournaments.shown import (
    composition_cells,
    pair_cells,
    result_words,
)
from survkit.tournaments.tournament_file import CHOSEN


def render_page(
    content: Mapping[str, Any], seconds: Mapping[str, Any], figure: Picture | None
) -> str:
    """Return the page.

    Args:
        content: Of ``tournament.json``.
        seconds: Of ``seconds.json``.
        figure: The differences, where there are some.
    """
    folder = resources("survkit.tournaments")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    style = resources("survkit.report").joinpath("style.css").read_text(encoding="utf-8")
    template = environment.from_string(
        folder.joinpath("tournament.html.j2").read_text(encoding="utf-8")
    )
    headline = next(iter(content["metrics"]))
    return template.render(
        style=Markup(style),
        version=version("survkit-core"),
        content=content,
        metrics=content["metrics"],
        chosen=content[CHOSEN],
        said=sentences(content),
        left_out=by_reason(content["left_out"]),
        figure=figure,
        compositions=composition_cells(content, seconds),
        chosen_results=[
            result_words(content[CHOSEN]["results"][key]) for key in content["metrics"]
        ],
        pairs=pair_cells(content["pairs"][headline]),
        headline=content["metrics"][headline]["label"],
    )
