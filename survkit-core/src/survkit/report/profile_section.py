"""Where along the volume the attention lies: a figure and two tables per modality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from survkit.report.figure import BLUE, GREY, Picture, canvas, picture
from survkit.report.numbers import Numbers
from survkit.report.page_files import PageFiles
from survkit.report.part import SectionPart, kept
from survkit.report.tables import Table, slug

_CAPTION = (
    "Attention by relative position, as a multiple of what equal weights give: above 1 the model "
    "looked more than evenly, below 1 less. {orientation}. Line: mean over subjects, each "
    "predicted by a model that never saw them; dark band: its bootstrap interval; light band: 95% "
    "of the subjects; thin lines: the means of the folds."
)
_CUT = " The light band is cut off where it leaves the picture."


def profile_parts(attention: Numbers, files: PageFiles) -> Iterator[SectionPart]:
    """Yield one part per modality that has a profile, and a sentence for those that have none."""
    for name, found in attention.at("profiles").items():
        title = f"Along the volume: {name}"
        anchor = slug(f"attention-profile-{name}")
        if "reason" in found:
            note = Markup("No profile of {} over slices: {}.").format(name, found["reason"])
            yield SectionPart(anchor=anchor, title=title, notes=(note,))
            continue
        facts = _facts(attention, name, anchor)
        pictures, tables = kept(files, {anchor: _figure(name, found)}, (facts,))
        files.table(_points(name, found, anchor))  # beside the page; the figure shows it
        notes = tuple(_notes(attention, name, found))
        yield SectionPart(anchor=anchor, title=title, pictures=pictures, notes=notes, tables=tables)


def _figure(name: str, found: Mapping[str, Any]) -> Picture:
    position, top = found["position"], _top(found)
    caption = _CAPTION.format(orientation=_orientation(found))
    caption += _CUT if max(found["subjects_high"]) > top else ""
    with canvas(5.2, 3.4) as figure:
        axes = figure.subplots()
        axes.fill_between(
            position, found["subjects_low"], found["subjects_high"], color="#dfeaf2", linewidth=0
        )
        for values in found["folds"].values():
            axes.plot(position, values, color=GREY, lw=0.6, alpha=0.55)
        if found["lower"] is not None:
            axes.fill_between(
                position, found["lower"], found["upper"], color=BLUE, alpha=0.28, linewidth=0
            )
        axes.plot(position, found["mean"], color=BLUE, lw=1.8)
        axes.axhline(1, color="#1d2329", lw=0.9, ls=":")
        axes.annotate(
            "equal weights",
            (1, 1),
            xytext=(-4, 3),
            textcoords="offset points",
            ha="right",
            fontsize=9,
        )
        axes.set_xlim(0, 1)
        axes.set_ylim(0, top)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0\ncaudal", "0.25", "0.5", "0.75", "1\ncranial"])
        axes.set_xlabel("relative position")
        axes.set_ylabel("attention / equal weights")
        return picture(figure, alt=_alt(name, found), caption=caption)


def _top(found: Mapping[str, Any]) -> float:
    """Return where the figure ends: single subjects may lie far beyond all means."""
    means = [found["mean"], *found["folds"].values(), found["upper"] or [0.0]]
    return float(max(1.6, 1.25 * max(max(values) for values in means)))


def _orientation(found: Mapping[str, Any]) -> str:
    return f"Position {found['orientation']}"


def _alt(name: str, found: Mapping[str, Any]) -> str:
    mean = np.array(found["mean"])
    thirds = [float(part.mean()) for part in np.array_split(mean, 3)]
    top = found["position"][int(mean.argmax())]
    return (
        f"Mean attention profile of {name} over {found['n']} subjects, equal weights are 1: caudal "
        f"third {thirds[0]:.2f}, middle third {thirds[1]:.2f}, cranial third {thirds[2]:.2f}; "
        f"highest at {mean.max():.2f}, at position {top:.2f}."
    )


def _facts(attention: Numbers, name: str, anchor: str) -> Table:
    base = ("profiles", name)
    rows = [
        ("Subjects", attention.number(*base, "n", style="count")),
        (
            "Slices, median (least to most)",
            Markup("{} ({} to {})").format(
                *(
                    attention.number(*base, "slices", key, style="short")
                    for key in ("median", "least", "most")
                )
            ),
        ),
        (
            "On the tenth of the slices with most attention",
            attention.result(*base, "top_share", style="percent"),
        ),
        ("The same at equal weights", attention.number(*base, "top_uniform", style="percent")),
        ("Correlation between folds, mean", _between(attention, name)),
    ]
    found = attention.at(*base)
    record = {
        "modality": name,
        "subjects": found["n"],
        "top_share": found["top_share"]["value"],
        "top_uniform": found["top_uniform"],
        "between_folds": found["between_folds"].get("value"),
        "between_folds_lowest": found["between_folds"].get("lowest"),
    }
    return Table(
        name=anchor,
        title="How concentrated, how reproducible",
        caption="Folds mostly share training subjects; a low correlation says that the profile is "
        "a whim of a single training.",
        labels=("Quantity", "Value"),
        rows=tuple(rows),
        records=(record,),
    )


def _between(attention: Numbers, name: str) -> Markup:
    base = ("profiles", name, "between_folds")
    if not attention.defined(*base):
        return attention.result(*base)
    return Markup("{} (lowest {})").format(
        attention.number(*base, "value"), attention.number(*base, "lowest")
    )


def _points(name: str, found: Mapping[str, Any], anchor: str) -> Table:
    """Return the curve as rows of a file."""
    keys = ("mean", "lower", "upper", "subjects_low", "subjects_high")
    records = [
        {"position": position, **{key: found[key][point] for key in keys if found[key] is not None}}
        for point, position in enumerate(found["position"])
    ]
    return Table(
        name=f"{anchor}-points",
        title=f"Profile of {name}, as a multiple of equal weights",
        caption="",
        labels=(),
        rows=(),
        records=tuple(records),
    )


def _notes(attention: Numbers, name: str, found: Mapping[str, Any]) -> Iterator[Markup]:
    if found["grid"] is not None and len(found["grid"]) > 1:
        yield Markup(
            "The tokens are blocks of a grid of {}; the weights of all blocks at one height are "
            "added up."
        ).format(" × ".join(map(str, found["grid"])))
    if found["drawn"] == "group":
        yield Markup("Bootstrap intervals draw whole groups of subjects.")
    if found["one_slice"]:
        yield Markup("{} subjects with one slice are left out.").format(
            attention.number("profiles", name, "one_slice", style="count")
        )
