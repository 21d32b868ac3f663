"""Which items of TRIPOD+AI this page reports, with links, and which the authors have to write."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from markupsafe import Markup

from survkit.report.checklist_items import PARTS, Item
from survkit.report.tables import Record, Table

HERE, PARTLY, AUTHORS = "reported here", "partly reported here", "to be written by the authors"
_CLASSES = {HERE: "here", PARTLY: "partly", AUTHORS: "authors"}


def checklist(anchors: Set[str]) -> tuple[Mapping[str, Any], ...]:
    """Return the parts of the checklist with their rows; nothing is said that the page lacks.

    Args:
        anchors: Places that this page has.
    """
    return tuple(
        {"title": title, "rows": tuple(_row(item, anchors) for item in items)}
        for title, items in PARTS.items()
    )


def checklist_table(anchors: Set[str]) -> Table:
    """Return the checklist as a file."""
    records: list[Record] = []
    for title, items in PARTS.items():
        for item in items:
            links = [words for anchor, words in item.here if anchor in anchors]
            state = _state(item, anchors)
            authors = item.authors or ("everything" if state == AUTHORS else "")
            records.append(
                {"part": title, "item": item.number, "topic": item.topic, "asks": item.asks}
                | {"state": state, "where": "; ".join(links), "authors": authors}
            )
    return Table(
        name="tripod-ai-checklist",
        title="TRIPOD+AI checklist",
        caption="",
        labels=(),
        rows=(),
        records=tuple(records),
    )


def _state(item: Item, anchors: Set[str]) -> str:
    if not any(anchor in anchors for anchor, _ in item.here):
        return AUTHORS
    return PARTLY if item.authors else HERE


def _row(item: Item, anchors: Set[str]) -> Mapping[str, Any]:
    state = _state(item, anchors)
    links = [
        Markup('<a href="#{}">{}</a>').format(anchor, words)
        for anchor, words in item.here
        if anchor in anchors
    ]
    said = Markup("{}").format(state.capitalize())
    if links:
        said += Markup(": ") + Markup(", ").join(links)
    if state == PARTLY:
        said += Markup(". {}: {}.").format(AUTHORS.capitalize(), item.authors)
    return {
        "number": item.number,
        "topic": item.topic,
        "asks": item.asks,
        "said": said,
        "kind": _CLASSES[state],
    }
