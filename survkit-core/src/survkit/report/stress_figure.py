"""What a model loses under worse inputs: curves over the share of corrupted subjects, and bars.

Everything is read from the content of ``stress.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from survkit.evaluation.metric_names import METRICS, MetricName
from survkit.report.figure import BLUE, GREY, VERMILION, Picture, canvas, picture
from survkit.report.shown_result import shown_result
from survkit.report.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
LONGEST_TITLE = 18
BETWEEN = " + "
"""Stands between the modalities, and the names, of a corruption of several at once."""
MOST_SAID = 8
"""More corruptions than these are left to the table by the alternative text."""


def stress_figures(content: Mapping[str, Any]) -> tuple[Picture, ...]:
    """Return the curves of each modality or joint modalities, and the bars of all corruptions."""
    entries = content["corruptions"]
    modalities = dict.fromkeys(entry["modality"] for entry in entries)
    curves = []
    for modality in modalities:
        own = [entry for entry in entries if entry["modality"] == modality]
        if len(own[0]["fractions"]) > 1 and any(map(_is_defined, own)):
            curves.append(_curves(content, modality, [each for each in own if _is_defined(each)]))
    bars = [_bars(content)] if entries else []
    return (*curves, *bars)


def stress_table(content: Mapping[str, Any]) -> Table:
    """Return one row per corruption, at the largest share of corrupted subjects."""
    rows = []
    for entry in content["corruptions"]:
        last = entry["fractions"][-1]
        rows.append(
            (
                BETWEEN.join(parts_of(entry)),
                entry["severity"],
                shown_result(last["clean"], reason=True),
                shown_result(last["noisy"], reason=True),
                shown_result(last["degradation"], "{:.1%}", reason=True),
                p_value(last["log_rank_p"]),
                shown_result(entry["robustness_area"], reason=True),
            )
        )
    fraction = _largest(content)
    level = content["settings"]["level"]
    return Table(
        title="Under worse inputs",
        caption=(
            f"{_metric(content).label} with {fraction:.0%} of the subjects corrupted. Intervals "
            f"({level:.0%}) are from the same resamples of subjects, clean and corrupted. Log-rank "
            "p: do the groups of predicted risk still differ? Robustness: mean share of the "
            "performance above chance that is kept, over all shares of corrupted subjects."
        ),
        labels=("Corruption", "Severity", "Clean", "Corrupted", "Lost", "Log-rank p", "Robustness"),
        rows=tuple(rows),
    )


def parts_of(entry: Mapping[str, Any]) -> list[str]:
    """Return what is corrupted and how: one text, ``ct: blur``, for each modality."""
    modalities, names = (entry[key].split(BETWEEN) for key in ("modality", "name"))
    return [f"{modality}: {name}" for modality, name in zip(modalities, names, strict=True)]


def p_value(found: Mapping[str, Any]) -> str:
    """Write a p value; a dash where there is none."""
    if "reason" in found:
        return "–"
    return "< 0.001" if found["value"] < 0.001 else f"{found['value']:.3f}"


def _metric(content: Mapping[str, Any]) -> MetricName:
    return next(item for item in METRICS if item.key == content["metric"])


def _chance(content: Mapping[str, Any]) -> float | None:
    metric = _metric(content)
    return metric.chance if metric.best == "highest" else None


def _largest(content: Mapping[str, Any]) -> float:
    return float(content["settings"]["fractions"][-1])


def _is_defined(entry: Mapping[str, Any]) -> bool:
    return any("reason" not in row["noisy"] for row in entry["fractions"])


def _curves(
    content: Mapping[str, Any], modality: str, entries: Sequence[Mapping[str, Any]]
) -> Picture:
    """Draw a panel per corruption of a modality, all on one scale."""
    columns = min(COLUMNS, len(entries))
    who = " and ".join(modality.split(BETWEEN))
    are = "are" if BETWEEN in modality else "is"
    rows = ceil(len(entries) / columns)
    with canvas(5.2, 0.9 + 1.45 * rows) as figure:
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes, entry in zip(panels.flat, entries, strict=False):
            _panel(axes, entry, _chance(content))
        for axes in panels.flat[len(entries) :]:
            axes.set_axis_off()
        figure.supxlabel("subjects corrupted", fontsize=9.5)
        figure.supylabel(_metric(content).label.partition(",")[0], fontsize=9.5)
        words = [_course(entry) for entry in entries[:MOST_SAID]]
        return picture(
            figure,
            alt=f"{_metric(content).label} over the share of subjects whose {who} {are} "
            f"corrupted: {'; '.join(words)}.",
            caption=f"{modality}: {_metric(content).label} when a growing share of the subjects "
            "is corrupted, mean over seeds. Bands are intervals over subjects, dots the seeds. "
            "Dashed: the clean value; dotted: chance.",
        )


def _panel(axes: Axes, entry: Mapping[str, Any], chance: float | None) -> None:
    rows = [row for row in entry["fractions"] if "reason" not in row["noisy"]]
    shares = [100 * row["fraction"] for row in rows]
    values = [row["noisy"]["value"] for row in rows]
    with_band = [row for row in rows if row["noisy"]["interval"] is not None]
    if with_band:
        axes.fill_between(
            [100 * row["fraction"] for row in with_band],
            [row["noisy"]["interval"]["lower"] for row in with_band],
            [row["noisy"]["interval"]["upper"] for row in with_band],
            color=BLUE, alpha=0.15, linewidth=0,
        )  # fmt: skip
    for row in rows:
        known = [value for value in row["seeds"] if value is not None]
        axes.plot([100 * row["fraction"]] * len(known), known, ".", color=GREY, ms=2.5)
    axes.plot(shares, values, color=BLUE, lw=1.6)
    axes.axhline(rows[0]["clean"]["value"], color=VERMILION, lw=0.9, ls="--")
    if chance is not None:
        axes.axhline(chance, color=GREY, lw=0.9, ls=":")
    severity = str(entry["severity"])
    severity = severity if len(severity) <= LONGEST_TITLE else ""
    name = "\n+ ".join(each.rpartition("/")[2] for each in entry["name"].split(BETWEEN))
    axes.set_title(f"{name}\n{severity}" if severity else name, fontsize=8.5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}%")
    axes.tick_params(labelsize=8)


def _course(entry: Mapping[str, Any]) -> str:
    rows = [row for row in entry["fractions"] if "reason" not in row["noisy"]]
    first, last = rows[0], rows[-1]
    return (
        f"{entry['name']} ({entry['severity']}) from {first['noisy']['value']:.3f} at "
        f"{first['fraction']:.0%} to {last['noisy']['value']:.3f} at {last['fraction']:.0%}"
    )


def _bars(content: Mapping[str, Any]) -> Picture:
    """Draw what each corruption costs at the largest share of corrupted subjects."""
    entries = content["corruptions"]
    fraction = _largest(content)
    lines = max(len(parts_of(entry)) for entry in entries)
    with canvas(5.2, 0.8 + (0.17 + 0.1 * lines) * len(entries)) as figure:
        axes = figure.subplots()
        words = []
        for position, entry in enumerate(entries):
            result = entry["fractions"][-1]["degradation"]
            name = f"{BETWEEN.join(parts_of(entry))} ({entry['severity']})"
            if "reason" in result:
                axes.text(0.0, position, " not defined", va="center", fontsize=9, color=GREY)
                words.append(f"{name} not defined")
                continue
            axes.barh(position, 100 * result["value"], color=VERMILION, alpha=0.85, height=0.62)
            if result["interval"] is not None:
                ends = [100 * result["interval"][each] for each in ("lower", "upper")]
                axes.hlines(position, *ends, color="#1d2329", lw=1.2)
            words.append(f"{name} {result['value']:.0%}")
        axes.axvline(0, color="#8a949e", lw=0.8)
        names = ["\n+ ".join(parts_of(each)) + f" ({each['severity']})" for each in entries]
        axes.set_yticks(range(len(entries)), names, fontsize=9)
        axes.set_ylim(len(entries) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}%")
        figure.supxlabel(f"lost with {fraction:.0%} of the subjects corrupted", fontsize=9.5)
        said_of = "the performance above chance" if _chance(content) is not None else "the value"
        return picture(
            figure,
            alt=f"Share of {said_of} that is lost with {fraction:.0%} of the subjects corrupted: "
            + "; ".join(words) + ".",
            caption=f"Share of {said_of} that each corruption costs; lines are intervals from the "
            "paired bootstrap. Below 0 the corrupted model did better, which is chance where the "
            "interval holds 0.",
        )  # fmt: skip
