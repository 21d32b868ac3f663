"""Where encoders looked in pictures, as tables: attention in the region of interest, and whether a
map depends on what was learnt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from survkit.report.numbers import Numbers
from survkit.report.tables import Table

_Path = tuple[str | int, ...]
_DASH = Markup("–")


def images_of(explained: Numbers) -> list[_Path]:
    """Return where the file tells of a map of a subject; nowhere in files of older versions."""
    return [
        ("subjects", place, "modalities", number, "image", "maps", row)
        for place, subject in enumerate(explained.at("subjects"))
        for number, modality in enumerate(subject["modalities"])
        for row in range(len(modality.get("image", {}).get("maps", ())))
    ]


def doubts(explained: Numbers) -> list[str]:
    """Return what is to be said of maps that do not depend on what was learnt."""
    return [
        str(found["randomised"]["words"])
        for _, found in _maps(explained)
        if found["randomised"] is not None and found["randomised"]["verdict"] != "depends"
    ]


def images_table(explained: Numbers) -> Table:
    """Return a row per subject and map."""
    rows, records = [], []
    for path in images_of(explained):
        told = explained.at(*path)
        subject, modality = explained.at(*path[:2], "subject"), explained.at(*path[:4], "modality")
        last = (*path, "randomised", len(told["randomised"]) - 1, "correlation")
        rows.append(
            (
                f"{subject}, {modality}: {told['name']}",
                explained.number(*path, "highest", style="short"),
                _inside(explained, path),
                explained.number(*path, "ratio", style="short"),
                explained.number(*last) if told["randomised"] else _DASH,
            )
        )
        names = ("highest", "inside_mask", "area_of_mask", "ratio")
        steps = {
            f"correlation_{step['share']:.2f}": step["correlation"] for step in told["randomised"]
        }
        records.append(
            {"subject": subject, "modality": modality, "map": told["name"]}
            | {name: told[name] for name in names}
            | steps
        )
    return Table(
        name="explained-images",
        title="Where the encoders looked in the pictures",
        caption="Highest: of equal weights. In the region: share of the attention, beside the "
        "region's share of the picture; ratio: one over the other. Shuffled: rank correlation to "
        "the map of the same encoder with all its weights shuffled.",
        labels=("Subject", "Highest", "In the region", "Ratio", "Shuffled"),
        rows=tuple(rows),
        records=tuple(records),
        stacked=True,
    )


def maps_table(explained: Numbers) -> Table:
    """Return a row per encoder and map, over subjects."""
    rows, records = [], []
    for path, found in _maps(explained):
        record: dict[str, Any] = {"modality": path[1], "map": path[2]}
        cells: list[Any] = [f"{path[1]}: {path[2]}"]
        cells += _mask_cells(explained, path, found["mask"], record)
        steps = [] if found["randomised"] is None else found["randomised"]["steps"]
        said = []
        for number, step in enumerate(steps):
            where = (*path, "randomised", "steps", number, "correlation")
            defined = explained.defined(*where)
            said.append(explained.number(*where, "value") if defined else Markup("not defined"))
            record[f"correlation_{step['share']:.2f}"] = step["correlation"].get("value")
        record["verdict"] = found["randomised"]["verdict"] if steps else None
        cells.append(Markup(", ").join(said) or _DASH)
        rows.append(tuple(cells))
        records.append(record)
    return Table(
        name="attention-maps",
        title="Attention in the masks, and without what was learnt",
        caption="Ratio: attention within the region of interest over the region's share of the "
        "picture, mean over subjects; 1 is what equal weights give; interval by bootstrap over "
        "subjects, or over their groups where the cohort names some. Shuffled: rank correlation to "
        "the maps of encoders whose weights are shuffled, in the last third of the parameter "
        "tensors, in two thirds, in all; mean over the subjects shown. A map that stays alike does "
        "not depend on what was learnt (Adebayo et al. 2018).",
        labels=("Map", "Ratio", "In the region", "Subjects", "Shuffled"),
        rows=tuple(rows),
        records=tuple(records),
        stacked=True,
    )


def _maps(explained: Numbers) -> Iterator[tuple[tuple[str, str, str], Mapping[str, Any]]]:
    """Yield where the file tells of a map over subjects, and what."""
    if explained.has("maps"):
        for modality, maps in explained.at("maps").items():
            for name, found in maps.items():
                yield ("maps", modality, name), found


def _inside(explained: Numbers, path: _Path) -> Markup:
    if explained.at(*path, "inside_mask") is None:
        return _DASH
    inside = explained.number(*path, "inside_mask", style="percent")
    return Markup("{} of {}").format(
        inside, explained.number(*path, "area_of_mask", style="percent")
    )


def _mask_cells(
    explained: Numbers, path: _Path, mask: Mapping[str, Any] | None, record: dict[str, Any]
) -> list[Markup]:
    """Return ratio, attention and number of subjects, and write them into the record."""
    if mask is None:
        return [_DASH] * 3
    if "reason" in mask:
        record["not_defined"] = mask["reason"]
        return [explained.result(*path, "mask"), _DASH, _DASH]
    interval = mask["ratio"]["interval"] or {}
    record |= {
        "ratio": mask["ratio"]["value"],
        "lower": interval.get("lower"),
        "upper": interval.get("upper"),
        "mass": mask["mass"]["value"],
        "area": mask["area"],
        "n": mask["n"],
    }
    mass = explained.number(*path, "mask", "mass", "value", style="percent")
    area = explained.number(*path, "mask", "area", style="percent")
    return [
        explained.result(*path, "mask", "ratio"),
        Markup("{} of {}").format(mass, area),
        explained.number(*path, "mask", "n", style="count"),
    ]
