"""What stands below a table: how to read it, stars, failures, and the notes of who wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from survkit.reproduction.markdown_cells import UNKNOWN


def foot(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paragraph on intervals and tests, then one line per note."""
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
    if content["conditions"]:
        yield (
            "\nUnder a condition each test subject is predicted by the model of the fold that "
            "never saw it, and the same subjects are corrupted in every row; values are means over "
            "the seeds. Degradation: the "
            "share of what lies above chance that is lost; of an error, the share that it grows by."
        )
    if content["no_comparison"]:
        yield f"\nNo differences: {content['no_comparison']}."
    lines = [*_stars(content), *_failures(content), *_of_conditions(content), *content["notes"]]
    yield from (f"\n- {one}" if number == 0 else f"- {one}" for number, one in enumerate(lines))


def _stars(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the notes of published numbers, each with its row and, where there are several, data
    set and condition.
    """
    for row in content["metrics"][0]["rows"]:
        for condition, found in {"": row, **row["conditions"]}.items():
            shown = {content["column"] or "": found["published"]}
            if content["columns"] and content["column"] is None:
                shown = found["published_columns"]
            for column, published in shown.items():
                if published and published["note"]:
                    where = ", ".join(each for each in (row["label"], column, condition) if each)
                    yield f"\\* {where}: {published['note']}"


def _failures(content: Mapping[str, Any]) -> Iterator[str]:
    rows = content["metrics"][0]["rows"]
    yield from (f"{row['label']} failed: {row['reason']}" for row in rows if row["reason"])
    for metric in content["metrics"]:
        for row in metric["rows"]:
            if "reason" in row.get("pooled", {}):
                reason = row["pooled"]["reason"]
                yield f"{row['label']}: {metric['label']} is not defined, {reason}"


def _of_conditions(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was left out of a condition, what failed under it, and its own note."""
    for name, condition in content["conditions"].items():
        for label, state in condition["rows"].items():
            yield from _state(label, name, state)
        for metric in content["metrics"]:
            for row in metric["rows"]:
                if "reason" in (pooled := row["conditions"][name].get("pooled", {})):
                    what = f"{metric['label']} is not defined, {pooled['reason']}"
                    yield f"{row['label']}, {name}: {what}"
        if condition["no_comparison"]:
            yield f"{name}: no differences, {condition['no_comparison']}"
        if condition["note"]:
            yield f"{name}: {condition['note']}"


def _state(label: str, name: str, state: Mapping[str, Any]) -> Iterator[str]:
    """Yield why a row has no numbers under a condition, or what of it it did not meet."""
    if state["reason"]:
        yield f"{label}, {name}, failed: {state['reason']}"
    elif not state["reached"]:
        yield (
            f"† {label}, {name}: its model reads nothing that is corrupted, so its predictions are "
            "the clean ones"
        )
    elif state["left_out"]:
        parts = " and ".join(state["left_out"])
        yield f"† {label}, {name}: left out, as its model has no such input: {parts}"
