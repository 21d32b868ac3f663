"""On which groups of features the concordance hangs, from ``importance/importance.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survkit.errors import RunError
from survkit.report.figure import Picture
from survkit.report.forest_figure import Row, forest_figure
from survkit.report.numbers import Numbers
from survkit.report.page_files import PageFiles
from survkit.report.tables import Table, flat

DOCUMENT = "importance.json"
MOST_SHOWN = 30
"""More groups than these are left to the table."""

MEANING = (
    "Importance is the drop of concordance when the features of a group are exchanged at random "
    "among the test subjects: what the trained models lose without what this group alone tells "
    "them."
)
SHARING = (
    "Correlated groups share importance or hide it: where one tells what another tells too, each "
    "may show little although both together decide. A small number does not say that the features "
    "tell nothing about the outcome, and a large one not that they cause it."
)
_CAPTION = (
    "Dots: mean over the permutations. Lines are intervals over test subjects, the models being "
    "the same; left of the dotted line the model was better without."
)


def importance_section(
    measured: Numbers, files: PageFiles, *, predictions: str
) -> Mapping[str, Any]:
    """Collect what the numbers mean, the forest of the groups and their table.

    Args:
        measured: The file.
        files: Where figures and tables go.
        predictions: Fingerprint of the predictions that the page is about.

    Raises:
        RunError: It is of other predictions, or damaged.
    """
    content = measured.metrics
    if content.get("predictions", predictions) != predictions:
        raise RunError(
            "importance/importance.json is of other predictions than the run now holds; run "
            "`survkit importance` anew, or delete it"
        )
    try:
        figure = importance_figure(content)
        return {
            "said": (MEANING, SHARING),
            "pictures": [] if figure is None else [files.picture("importance", figure)],
            "table": files.table(_table(measured)),
        }
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise RunError(
            f"importance/importance.json: damaged ({type(error).__name__}: {error}); run `survkit "
            "importance` anew, or delete it"
        ) from error


def importance_figure(content: Mapping[str, Any]) -> Picture | None:
    """Draw the drop of concordance of every group, the largest first; ``None`` where no group has
    one.
    """
    entries = content["groups"]
    rows: list[Row] = [(one["name"], one["importance"], "pair") for one in entries[:MOST_SHOWN]]
    more = len(entries) - len(rows)
    caption = _CAPTION if not more else f"{_CAPTION} {more} groups of less are in the table alone."
    label = f"Drop of {content['metric_label']} ({content['cause']})"
    return forest_figure(rows, label=label, chance=0.0, caption=caption, least=1)


def _table(measured: Numbers) -> Table:
    rows, records = [], []
    for place, entry in enumerate(measured.at("groups")):
        base: tuple[str | int, ...] = ("groups", place)
        rows.append(
            (
                entry["name"],
                measured.result(*base, "importance", style="signed"),
                measured.number(*base, "repeat_sd"),
                measured.result(*base, "ablation", style="signed"),
                measured.result(*base, "gradient", style="percent"),
            )
        )
        records.append(
            {"group": entry["name"], "columns": " ".join(entry["columns"])}
            | flat(entry["importance"])
            | {"repeat_sd": entry["repeat_sd"]}
            | _prefixed("ablation", entry["ablation"])
            | _prefixed("gradient", entry["gradient"])
        )
    return Table(
        name="importance",
        title=f"Importance for {measured.at('cause')}",
        caption="Permuted: mean drop with its interval over subjects, and its SD over the "
        "permutations. Ablated: the drop with everybody's features at their training mean. "
        "Gradient: share of |gradient × input| of the predicted risk, no drop of anything.",
        labels=("Group", "Permuted", "SD", "Ablated", "Gradient"),
        rows=tuple(rows),
        records=tuple(records),
        stacked=True,
    )


def _prefixed(name: str, result: Mapping[str, Any]) -> dict[str, Any]:
    interval = result.get("interval") or {}
    return {
        name: result.get("value"),
        f"{name}_lower": interval.get("lower"),
        f"{name}_upper": interval.get("upper"),
        f"{name}_not_defined": result.get("reason"),
    }
