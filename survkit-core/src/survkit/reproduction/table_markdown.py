"""``table.md``: the table for a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from survkit.reproduction.figure_markdown import figure_lines
from survkit.reproduction.markdown_cells import (
    estimate,
    folds_cell,
    line,
    published_cell,
    tests_cells,
)
from survkit.reproduction.table_notes import foot


def as_markdown(content: Mapping[str, Any]) -> str:
    """Return the table for a reader."""
    parts = (_head(content), _tables(content), figure_lines(content), foot(content))
    return "\n".join(each for part in parts for each in part) + "\n"


def _head(content: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {content['title']}\n"
    where = content["published_cohort"]
    yield f"Published: {content['source']}, on {where}. {content['protocol']}\n"
    bold = content["statement"] if content["same_cohort"] else f"**{content['statement']}**"
    yield f"> {bold}\n"
    run = content["run"]
    if run is None:
        yield "No row has a result.\n"
        return
    repeats = f"{run['repeats']} times " if run["repeats"] > 1 else ""
    yield (
        f"Here: {content['subjects']} subjects, {content['subjects'] - run['censored']} with an "
        f"event; {content['cause']} by {run['horizon']:g} {run['time_unit']}; {repeats}"
        f"{run['folds']} folds, the same for every row (splits {run['splits_hash'][:12]}).\n"
    )


def _tables(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table of every metric, and below it that of each condition."""
    for metric in content["metrics"]:
        yield f"## {metric['label']} ({metric['best']} is best)\n"
        here, reference = content["cohort"], content["reference"]
        headings = (
            *_published_headings(content), f"mean ± sd over folds ({here})", f"pooled ({here})",
            f"difference to {reference}", "p", "p (Holm)",
        )  # fmt: skip
        yield from _headed(headings)
        for row in metric["rows"]:
            yield line(_cells(row, content))
        yield ""
        for name, condition in content["conditions"].items():
            yield from _under(name, condition, metric, content)


def _under(
    name: str, condition: Mapping[str, Any], metric: Mapping[str, Any], content: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the table of one condition in one metric."""
    seeds = f"{condition['seeds']} seed" + ("s" if condition["seeds"] > 1 else "")
    yield (
        f"### {metric['label']}, {name}: {condition['corruption']} at {condition['fraction']:.0%} "
        f"of the test subjects, {seeds}\n"
    )
    here, reference = content["cohort"], content["reference"]
    headings = (
        *_published_headings(content), f"mean ± sd over folds ({here})",
        f"pooled clean ({here})", f"pooled {name} ({here})", "degradation",
        f"difference to {reference}", "p", "p (Holm)",
    )  # fmt: skip
    yield from _headed(headings)
    for row in metric["rows"]:
        yield line(_cells_under(row, row["conditions"][name], content))
    yield ""


def _headed(headings: tuple[str, ...]) -> Iterator[str]:
    yield line(("row", *headings))
    yield line(["---"] * (len(headings) + 1))


def _published_headings(content: Mapping[str, Any]) -> list[str]:
    """Return one heading, or one per data set of the paper where none of them is chosen."""
    if content["columns"] and content["column"] is None:
        return [f"published ({column})" for column in content["columns"]]
    return [
        "published" + ("" if content["same_cohort"] else f" (on {content['published_cohort']})")
    ]


def _published(found: Mapping[str, Any], content: Mapping[str, Any]) -> list[str]:
    if content["columns"] and content["column"] is None:
        columns = found["published_columns"]
        return [published_cell(columns.get(column)) for column in content["columns"]]
    return [published_cell(found["published"])]


def _cells(row: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[str]:
    yield row["label"]
    yield from _published(row, content)
    if row["state"] != "finished":
        yield row["state"]
        yield from ["–"] * 4
        return
    yield folds_cell(row["across_folds"])
    yield estimate(row["pooled"], "{:.3f}")
    yield from tests_cells(row, is_reference=row["label"] == content["reference"])


def _cells_under(
    row: Mapping[str, Any], found: Mapping[str, Any], content: Mapping[str, Any]
) -> Iterator[str]:
    yield row["label"] + ("" if not found["left_out"] else " †")
    yield from _published(found, content)
    if found["state"] != "finished":
        yield found["state"]
        yield from ["–"] * 6
        return
    yield folds_cell(found["across_folds"])
    yield estimate(found["clean"], "{:.3f}")
    yield estimate(found["pooled"], "{:.3f}")
    yield estimate(found["degradation"], "{:.1%}")
    yield from tests_cells(found, is_reference=row["label"] == content["reference"])
