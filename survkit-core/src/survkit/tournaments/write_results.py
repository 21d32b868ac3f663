"""The files of a tournament, each whole or not at all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.report.strip_figure import svg_of
from survkit.report.tables import flat
from survkit.tournaments.difference_figure import difference_figure
from survkit.tournaments.group_letter import group_letter
from survkit.tournaments.page import render_page
from survkit.tournaments.tournament_file import CHOSEN

TOURNAMENT_FILE, PAGE_FILE, FOREST_FILE = "tournament.json", "tournament.html", "differences.svg"


def write_results(content: Mapping[str, Any], seconds: Mapping[str, Any], place: Path) -> None:
    """Write ``tournament.json``, the tables, the figure and the page.

    Args:
        content: What was found.
        seconds: How long each composition took, for the page.
        place: Folder of the tournament.
    """
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(place / TOURNAMENT_FILE, text.encode())
    for name, rows in (
        ("compositions.csv", composition_rows(content)),
        ("ranks.csv", _rank_rows(content)),
        ("choices.csv", _choice_rows(content)),
        ("pairs.csv", _pair_rows(content)),
    ):
        write_bytes(place / name, _csv(rows).encode())
    figure = difference_figure(content)
    if figure is not None:
        write_bytes(place / FOREST_FILE, svg_of(figure))
    write_bytes(place / PAGE_FILE, render_page(content, seconds, figure).encode())


def composition_rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row per composition, the chosen ones after them, then who has no numbers."""
    rows = []
    roles = dict.fromkeys(role for one in content["compositions"].values() for role in one["parts"])
    for name, one in content["compositions"].items():
        spent, budget = one["spent"] or {}, one["budget"] or {}
        rows.append(
            {"composition": name, **{role: one["parts"].get(role) for role in roles}}
            | _results(one["results"])
            | {
                "mean_rank": one["rank"]["mean"],
                "first_in_folds": one["rank"]["first"],
                "groups": " ".join(group_letter(number) for number in one["groups"]),
                "inner_score": one["inner_score"],
                "chosen_in_folds": one["chosen_in"],
                "tried": one["tried"],
                "parameters": spent.get("parameters"),
                "trainable": spent.get("trainable"),
                "epochs": spent.get("epochs"),
                "steps": spent.get("steps"),
                "steps_at_most": budget.get("steps"),
                "passes_at_most": budget.get("passes"),
                "reason": None,
            }
        )
    rows.append({"composition": CHOSEN} | _results(content[CHOSEN]["results"]))
    for state in ("left_out", "failed"):
        words = state.replace("_", " ")
        rows += [{"composition": n, "reason": f"{words}: {r}"} for n, r in content[state].items()]
    return rows


def _results(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, result in results.items():
        own = flat(result)
        found |= {key: own["value"], f"{key}_lower": own["lower"], f"{key}_upper": own["upper"]}
        found[f"{key}_not_defined"] = own["not_defined"]
    return found


def _rank_rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"composition": name, "mean_rank": one["rank"]["mean"], "first": one["rank"]["first"]}
        | one["rank"]["ranks"]
        for name, one in content["compositions"].items()
    ]


def _choice_rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"fold": fold, "chosen": choice["chosen"]}
        | {f"score {name}": score for name, score in choice["scores"].items()}
        for fold, choice in content[CHOSEN]["folds"].items()
    ]


def _pair_rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for key, pairs in content["pairs"].items():
        for pair in pairs:
            own = flat(pair["difference"])
            rows.append(
                {
                    "metric": key,
                    "first": pair["first"],
                    "second": pair["second"],
                    "difference": own["value"],
                    "lower": own["lower"],
                    "upper": own["upper"],
                    "permutation_p": pair["permutation"].get("p_value"),
                    "permutation_p_holm": pair["p_holm"],
                    "corrected_t_p": pair["corrected_t"].get("p_value"),
                    "corrected_t_p_holm": pair["corrected_t_p_holm"],
                    "verdict": pair["verdict"],
                }
            )
    return rows


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows; what is not there or not defined is empty."""
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
