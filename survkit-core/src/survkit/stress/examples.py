"""What the corruptions look like: one subject's central slice, clean and at every severity."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from survkit.atomic_write import write_bytes
from survkit.corruptions.modality_corruption import ModalityCorruption
from survkit.data import Cohort
from survkit.errors import DataError
from survkit.protocols import Sample
from survkit.report.strip_figure import Panel, strip_figure, svg_of
from survkit.stress.chance import generator_for
from survkit.stress.corrupted_input import read_samples
from survkit.stress.scenario import Scenario


def write_examples(folder: Path, cohort: Cohort, scenarios: Sequence[Scenario]) -> list[Path]:
    """Write one SVG per image modality and corruption, and return their paths.

    The subject is the first of the cohort who has the modality. Corruptions that leave no image, or
    cannot be applied to this subject, have no picture.
    """
    written: list[Path] = []
    done: set[tuple[str, str]] = set()
    parts = [part for scenario in scenarios for part in scenario.parts]
    for part in parts:
        place = (part.modality, part.name)
        kind = cohort.config.modality(part.modality, source=cohort.source).kind
        if place in done or kind not in ("image", "volume"):
            continue
        done.add(place)
        rows = np.flatnonzero(cohort.available(part.modality))
        if not len(rows):
            continue
        own = [each for each in parts if (each.modality, each.name) == place]
        panels = _panels(cohort, int(rows[0]), own)
        if len(panels) < 2:
            continue
        folder.mkdir(exist_ok=True)
        title = f"{part.modality}: {part.name}"
        name = re.sub(r"[^A-Za-z0-9._-]", "-", f"{part.modality}.{part.name}.svg")
        written.append(write_bytes(folder / name, svg_of(strip_figure(panels, title=title))))
    return written


def _panels(cohort: Cohort, row: int, parts: Sequence[ModalityCorruption]) -> list[Panel]:
    """Return the clean slice and one per severity: all levels, and what else was asked for."""
    first = parts[0]
    spec = cohort.input_spec(first.modality, [row])
    (clean,) = read_samples(cohort, first.modality, [row], spec)
    if clean is None:
        return []
    subject, cut = cohort.subjects[row], _central(clean)
    panels = [_panel("clean", clean, cut)]
    shown = dict(first.levels)
    shown |= {each.severity: each.corruption for each in parts}
    for label, corruption in shown.items():
        generator = generator_for(first, subject, 0)
        try:
            after = corruption(clean, generator=generator)
        except DataError:  # the numbers say why; a picture of nothing would say less
            continue
        if after is not None:
            panels.append(_panel(label, after, cut))
    return panels


def _central(sample: Sample) -> int | None:
    """Return the slice through the middle of the region, else of the volume; none of an image."""
    if sample.values.ndim == 3:
        return None
    if sample.mask is not None and bool(sample.mask.any()):
        inside = sample.mask.flatten(1).any(dim=1).nonzero().flatten()
        return int(inside[len(inside) // 2])
    return sample.values.shape[1] // 2


def _panel(label: str, sample: Sample, cut: int | None) -> Panel:
    """Return the first channel of the slice, and where the region is on it."""
    values = sample.values[0] if cut is None else sample.values[0, cut]
    region = None
    if sample.mask is not None:
        region = np.asarray(sample.mask if cut is None else sample.mask[cut])
    return Panel(label, np.asarray(values, dtype=np.float64), region)
