"""How the model holds when its inputs are damaged or missing, from ``stress/stress.json``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from survkit.errors import RunError
from survkit.evaluation.metric_names import METRICS
from survkit.report.forest_figure import Row, forest_figure
from survkit.report.numbers import Numbers
from survkit.report.page_files import PageFiles
from survkit.report.part import SectionPart, kept
from survkit.report.tables import Table, flat

_SUBSETS = (
    "The trained models were given these modalities alone, as if the others were missing; they "
    "were not trained anew. What a modality gives alone depends on the model having met subjects "
    "without the others."
)


def stress_section(stress: Numbers, files: PageFiles, *, predictions: str) -> Mapping[str, Any]:
    """Collect the curves of every corruption with their table, and the subsets of modalities.

    Args:
        stress: The file.
        files: Where figures and tables go.
        predictions: Fingerprint of the predictions that the page is about.

    Raises:
        RunError: The stress test was of other predictions.
    """
    content = stress.metrics
    if content.get("predictions", predictions) != predictions:
        raise RunError(
            "stress/stress.json is of other predictions than the run now holds; run `survkit "
            "stress` anew, or delete it"
        )
    try:
        return _section(stress, files)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise RunError(
            f"stress/stress.json: damaged ({type(error).__name__}: {error}); run `survkit stress` "
            "anew, or delete it"
        ) from error


def _section(stress: Numbers, files: PageFiles) -> Mapping[str, Any]:
    content = stress.metrics
    drawn = import_module("survkit.report.stress_figure")  # only where a run was stressed
    pictures = [
        files.picture(f"stress-{number}", one)
        for number, one in enumerate(drawn.stress_figures(content), start=1)
    ]
    subsets = _subsets(stress, files) if content.get("subsets") else None
    return {
        "pictures": pictures,
        "table": files.table(drawn.stress_table(content)),
        "subsets": subsets,
    }


def _subsets(stress: Numbers, files: PageFiles) -> SectionPart:
    metric = next(item for item in METRICS if item.key == stress.at("metric"))
    rows: list[Row] = []
    cells, records = [], []
    for place, subset in enumerate(stress.at("subsets")):
        name = " + ".join(subset["modalities"])
        rows.append((name, subset["noisy"], "all" if not place else "part"))
        path = ("subsets", place)
        cells.append(
            (
                name,
                stress.number(*path, "subjects", style="count"),
                stress.result(*path, "noisy"),
                stress.result(*path, "difference", style="signed"),
            )
        )
        records.append({"modalities": name} | flat(subset["noisy"]))
    table = Table(
        name="stress-modalities",
        title=f"{metric.label} with some modalities alone",
        caption="Lost: the value with everything minus that with these alone, for the subjects who "
        "have them, with the paired interval.",
        labels=("Modalities", "Subjects", metric.label, "Lost"),
        rows=tuple(cells),
        records=tuple(records),
    )
    forest = forest_figure(rows, label=metric.label, chance=metric.chance, caption=_SUBSETS)
    pictures, tables = kept(files, {"forest-modalities": forest}, (table,))
    return SectionPart(
        anchor="stress-modalities", title="By modality", pictures=pictures, tables=tables
    )
