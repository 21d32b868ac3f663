"""What models made of the volumes of single subjects, as a table: reconstructions, codes, attention
in the region of interest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from survkit.report.numbers import Numbers
from survkit.report.tables import Table

MADE = (
    "A reconstruction and codes say what a model kept of a volume, and so could use; not what it "
    "used."
)

_Path = tuple[str | int, ...]


def volumes_of(explained: Numbers) -> list[_Path]:
    """Return where the file tells numbers of a volume; none in files of older versions."""
    return [
        ("subjects", place, "modalities", number, "volume", "rows", row)
        for place, subject in enumerate(explained.at("subjects"))
        for number, modality in enumerate(subject["modalities"])
        for row, told in enumerate(modality.get("volume", {}).get("rows", ()))
        if told["kind"] in _RESULTS
    ]


def volumes_table(explained: Numbers) -> Table:
    """Return a row per volume of which there are numbers."""
    rows, records = [], []
    for path in volumes_of(explained):
        told = explained.at(*path)
        subject = explained.at(*path[:2], "subject")
        modality = explained.at(*path[:4], "modality")
        result = _RESULTS[told["kind"]](explained, path, told)
        rows.append((f"{subject}, {modality}", told["name"], result))
        numbers = {key: told.get(key) for key in _COLUMNS}
        records.append({"subject": subject, "modality": modality, "name": told["name"], **numbers})
    return Table(
        name="explained-volumes",
        title="What the models made of the volumes",
        caption="MSE: mean squared difference to the input. PSNR: 10 log10 of the squared span of "
        "the input's intensities over it. Attention in the region beside the region's share of "
        "the volume, which is what equal weights give.",
        labels=("Subject", "Volume", "Result"),
        rows=tuple(rows),
        records=tuple(records),
        stacked=True,
    )


_COLUMNS = (
    "mean_squared_error", "mean_squared_error_in_mask", "peak_signal_to_noise_ratio", "largest",
    "labels_used", "labels", "most_frequent_share", "highest", "inside_mask", "volume_of_mask",
)  # fmt: skip


def _difference(explained: Numbers, path: _Path, told: Mapping[str, Any]) -> Markup:
    error = explained.number(*path, "mean_squared_error", style="short")
    if told.get("mean_squared_error_in_mask") is not None:
        inside = explained.number(*path, "mean_squared_error_in_mask", style="short")
        error = Markup("{} ({} in the region)").format(error, inside)
    if told["peak_signal_to_noise_ratio"] is None:
        return Markup("MSE {}").format(error)
    ratio = explained.number(*path, "peak_signal_to_noise_ratio", style="short")
    return Markup("MSE {}, PSNR {} dB").format(error, ratio)


def _label(explained: Numbers, path: _Path, told: Mapping[str, Any]) -> Markup:
    used = explained.number(*path, "labels_used", style="count")
    if told["labels"] is not None:
        of = explained.number(*path, "labels", style="count")
        used = Markup("{} of {}").format(used, of)
    most = explained.number(*path, "most_frequent_share", style="percent")
    return Markup("{} used here; the most frequent covers {}").format(used, most)


def _attention(explained: Numbers, path: _Path, told: Mapping[str, Any]) -> Markup:
    if told.get("blocks") == 1:
        return Markup("one block alone, which takes all of it")
    highest = explained.number(*path, "highest", style="short")
    said = Markup("up to {} × equal weights").format(highest)
    if told.get("inside_mask") is None:
        return said
    inside = explained.number(*path, "inside_mask", style="percent")
    volume = explained.number(*path, "volume_of_mask", style="percent")
    return said + Markup("; {} in the region, {} of the volume").format(inside, volume)


_RESULTS: Mapping[str, Callable[[Numbers, _Path, Mapping[str, Any]], Markup]] = {
    "difference": _difference,
    "label": _label,
    "attention": _attention,
}
