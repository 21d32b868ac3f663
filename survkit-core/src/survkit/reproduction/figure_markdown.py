"""A table's figure in ``table.md``: the pictures, and their numbers for who cannot see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from survkit.reproduction.markdown_cells import UNKNOWN, line, p_value


def figure_lines(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the section of the figure; nothing where the table has none or no row a result."""
    figure = content["figure"]
    if figure is None or not figure["rows"]:
        return
    yield f"## Figure ({content['cohort']})\n"
    for row in figure["rows"].values():
        if "picture" in row:
            yield f"![{row['picture']['alt']}]({row['picture']['file']})\n"
            yield f"{row['picture']['caption']}\n"
    yield from _medians(figure) if figure["kind"] == "robustness" else _tests(figure)
    yield ""


def _medians(figure: Mapping[str, Any]) -> Iterator[str]:
    yield line(("row", "corrupted", "median", "quartiles", "folds and seeds", "published median"))
    yield line(["---"] * 6)
    for label, row in figure["rows"].items():
        for box in row["boxes"]:
            marks = [mark for mark in row["published"] if mark["share"] == box["share"]]
            values, quartiles = len(box["values"]), box["quartiles"]
            middle, ends = UNKNOWN, UNKNOWN
            if quartiles is not None:
                middle, ends = f"{quartiles[1]:.3f}", f"{quartiles[0]:.3f} to {quartiles[2]:.3f}"
            missing = f" ({box['undefined']} not defined)" if box["undefined"] else ""
            said = "; ".join(mark["words"] for mark in marks) or UNKNOWN
            yield line((label, f"{box['share']:.0%}", middle, ends, f"{values}{missing}", said))


def _tests(figure: Mapping[str, Any]) -> Iterator[str]:
    yield line(
        ("row", "corrupted", "log-rank p, clean", "log-rank p, median over seeds",
         "of each seed", "published p")
    )  # fmt: skip
    yield line(["---"] * 6)
    for label, row in figure["rows"].items():
        seeds = ", ".join(p_value(test.get("p_value")) for test in row["seeds"])
        clean = p_value(row["clean"].get("p_value"))
        said = "; ".join(mark["words"] for mark in row["published"]) or UNKNOWN
        yield line((label, f"{row['share']:.0%}", clean, p_value(row["median_p"]), seeds, said))
