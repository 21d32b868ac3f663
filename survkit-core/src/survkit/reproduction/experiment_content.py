"""``result.json`` of an experiment: its findings by part, with the mean over the seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from survkit.errors import PluginError
from survkit.findings import ExperimentPlan, Findings


def experiment_content(
    plan: ExperimentPlan,
    seeds: Sequence[int],
    found: Mapping[str, Sequence[Findings]],
    *,
    where: str,
) -> dict[str, Any]:
    """Return what is written of an experiment.

    A mean is that of all seeds; where one of them has no value there is none, with the reason.

    Args:
        plan: Of the experiment.
        seeds: In the order of the findings.
        found: By part, the findings of each seed.
        where: The experiment, for error messages.

    Raises:
        PluginError: The seeds do not find the same measures and curves, or a curve is of no figure.
    """
    for part, each in found.items():
        _check_alike(each, seeds, f"{where}, {part}")
    known = {figure.name for figure in plan.figures}
    strangers = {c.figure for each in found.values() for c in each[0].curves} - known
    if strangers:
        raise PluginError(f"{where}: its plan has no figure {sorted(strangers)[0]!r}")
    return {
        "title": plan.title,
        "source": plan.source,
        "reference": plan.reference,
        "parts": [
            {"name": part, "measures": _measures(each, seeds), "curves": _curves(each)}
            for part, each in found.items()
        ],
        "figures": [
            {
                "name": figure.name,
                "title": figure.title,
                "x_label": figure.x_label,
                "y_label": figure.y_label,
                "caption": figure.caption,
            }
            for figure in plan.figures
        ],
        "notes": [*plan.notes],
    }


def _check_alike(found: Sequence[Findings], seeds: Sequence[int], where: str) -> None:
    first = _names(found[0])
    for seed, each in zip(seeds, found, strict=True):
        if _names(each) != first:
            raise PluginError(
                f"{where}: seed {seed} finds other measures or curves than {seeds[0]}"
            )


def _names(found: Findings) -> tuple[object, ...]:
    """Return what must be the same for every seed."""
    measures = [(each.name, each.reference) for each in found.measures]
    curves = [(each.figure, each.label, each.x) for each in found.curves]
    return tuple(measures), tuple(curves)


def _measures(found: Sequence[Findings], seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Return each measure over the seeds."""
    rows = []
    for same in zip(*(each.measures for each in found), strict=True):
        values = [each.value for each in same]
        reasons = [
            f"seed {seed}: {each.reason}"
            for seed, each in zip(seeds, same, strict=True)
            if each.reason
        ]
        rows.append(
            {
                "name": same[0].name,
                "values": [None if math.isnan(value) else value for value in values],
                "mean": None if reasons else fmean(values),
                "lowest": None if reasons else min(values),
                "highest": None if reasons else max(values),
                "reason": "; ".join(reasons),
                "reference": None if same[0].reference is None else [*same[0].reference],
            }
        )
    return rows


def _curves(found: Sequence[Findings]) -> list[dict[str, Any]]:
    """Return each curve over the seeds."""
    return [
        {
            "figure": same[0].figure,
            "label": same[0].label,
            "x": [*same[0].x],
            "y": [[*each.y] for each in same],
        }
        for same in zip(*(each.curves for each in found), strict=True)
    ]
