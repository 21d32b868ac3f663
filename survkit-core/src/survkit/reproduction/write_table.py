"""``table.md``, ``table.csv`` and ``table.json``: for a reader, a script, a program."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes

UNKNOWN = "n/a"
"""A number that the paper does not give, or that could not be computed here."""


def write_table(content: Mapping[str, Any], folder: Path) -> None:
    """Write the three files, each whole or not at all."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(folder / "table.json", text.encode())
    write_bytes(folder / "table.csv", as_csv(content).encode())
    write_bytes(folder / "table.md", as_markdown(content).encode())


def as_csv(content: Mapping[str, Any]) -> str:
    """Return one line per metric and row; what is not known is empty."""
    text = io.StringIO()
    records = [
        _record(content, metric, row) for metric in content["metrics"] for row in metric["rows"]
    ]
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _record(content: Mapping[str, Any], metric: Mapping[str, Any], row: Any) -> dict[str, Any]:
    published, folds = row["published"] or {}, row.get("across_folds", {})
    pooled, difference = row.get("pooled", {}), row.get("difference", {})
    interval, spread = pooled.get("interval") or {}, difference.get("interval") or {}
    return {
        "row": row["label"],
        "metric": metric["key"],
        "state": row["state"],
        "published_cohort": content["published_cohort"],
        "published_value": published.get("value"),
        "published_sd": published.get("sd"),
        "published_note": published.get("note"),
        "cohort": content["cohort"],
        "folds_mean": folds.get("mean"),
        "folds_sd": folds.get("sd"),
        "folds_defined": folds.get("defined"),
        "pooled": pooled.get("value"),
        "lower": interval.get("lower"),
        "upper": interval.get("upper"),
        "level": interval.get("level"),
        "reference": content["reference"],
        "difference": difference.get("value"),
        "difference_lower": spread.get("lower"),
        "difference_upper": spread.get("upper"),
        "permutation_p": row.get("permutation", {}).get("p_value"),
        "permutation_p_holm": row.get("p_holm"),
        "recipe": row["recipe"],
        "set": " ".join(row["set"]),
        "reason": row["reason"] or pooled.get("reason"),
    }


def as_markdown(content: Mapping[str, Any]) -> str:
    """Return the table for a reader."""
    return "\n".join([*_head(content), *_tables(content), *_foot(content)]) + "\n"


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
    reference = content["reference"]
    for metric in content["metrics"]:
        yield f"## {metric['label']} ({metric['best']} is best)\n"
        where = "" if content["same_cohort"] else f" (on {content['published_cohort']})"
        headings = (
            "row", f"published{where}", f"mean ± sd over folds ({content['cohort']})",
            f"pooled ({content['cohort']})", f"difference to {reference}", "p", "p (Holm)",
        )  # fmt: skip
        yield _line(headings)
        yield _line(["---"] * len(headings))
        for row in metric["rows"]:
            yield _line(_cells(row, reference))
        yield ""


def _cells(row: Mapping[str, Any], reference: str) -> Iterator[str]:
    published = row["published"]
    star = "\\*" if published and published["note"] else ""
    yield row["label"]
    yield UNKNOWN if published is None else _printed(published) + star
    if row["state"] != "finished":
        yield row["state"]
        yield from ["–"] * 4
        return
    folds = row["across_folds"]
    mean = folds["mean"]
    missing = "" if folds["defined"] == folds["of"] else f" ({folds['defined']} of {folds['of']})"
    yield UNKNOWN if mean is None else _spread(mean, folds["sd"]) + missing
    yield _estimate(row["pooled"], "{:.3f}")
    if row["label"] == reference:
        yield from ("reference", "", "")
        return
    yield _estimate(row.get("difference"), "{:+.3f}")
    yield _p(row.get("permutation", {}).get("p_value"))
    yield _p(row.get("p_holm"))


def _foot(content: Mapping[str, Any]) -> Iterator[str]:
    settings = content["settings"]
    replicates = settings["replicates"]
    intervals = (
        f"In parentheses: 95 % bootstrap intervals over subjects ({replicates} resamples), the "
        "models staying as they are; the standard deviation over folds is no interval."
    )
    yield (
        f"{intervals if replicates else 'The standard deviation over folds is no interval.'} p: "
        f"paired permutation test by subject ({settings['permutations']} swaps), "
        "(b + 1) / (B + 1), so never 0; Holm: adjusted for all rows compared with "
        f"'{content['reference']}' in this metric. {UNKNOWN}: not published, or not computable."
    )
    if content["no_comparison"]:
        yield f"\nNo differences: {content['no_comparison']}."
    rows = content["metrics"][0]["rows"]
    lines = [
        f"\\* {row['label']}: {row['published']['note']}"
        for row in rows
        if row["published"] and row["published"]["note"]
    ]
    lines += [f"{row['label']} failed: {row['reason']}" for row in rows if row["reason"]]
    lines += [
        f"{row['label']}: {metric['label']} is not defined, {row['pooled']['reason']}"
        for metric in content["metrics"]
        for row in metric["rows"]
        if "reason" in row.get("pooled", {})
    ]
    lines += content["notes"]
    yield from (f"\n- {line}" if number == 0 else f"- {line}" for number, line in enumerate(lines))


def _printed(published: Mapping[str, Any]) -> str:
    """Write a published number with the digits that it has."""
    sd = published["sd"]
    return f"{published['value']:g}" if sd is None else f"{published['value']:g} ± {sd:g}"


def _spread(mean: float, sd: float | None) -> str:
    return f"{mean:.3f}" if sd is None else f"{mean:.3f} ± {sd:.3f}"


def _estimate(result: Mapping[str, Any] | None, form: str) -> str:
    if result is None or "reason" in result:
        return UNKNOWN
    value, interval = form.format(result["value"]), result["interval"]
    if interval is None:
        return value
    return f"{value} ({form.format(interval['lower'])} to {form.format(interval['upper'])})"


def _p(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.4f}"


def _line(cells: Any) -> str:
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"
