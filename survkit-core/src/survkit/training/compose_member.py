"""One network of a training part, composed, with the weights that it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from survkit.build import Parts
from survkit.compose import Composition, compose
from survkit.model import SurvivalModel
from survkit.specs import InputSpec, OutcomeSpec
from survkit.transfer import StartReport, begin

if TYPE_CHECKING:
    from survkit.training.fit_part import Part


def compose_member(
    part: Part, number: int, specs: Mapping[str, InputSpec], outcome: OutcomeSpec
) -> tuple[Composition, StartReport | None]:
    """Compose a network; its encoders prepare with the weights that they start from.

    Args:
        part: The training part.
        number: Of the member.
        specs: What each encoder is given, by modality.
        outcome: Causes, horizon and time grid.
    """
    start = part.start
    if start is None:
        return compose(part.recipe, specs, outcome, part.registry), None
    reports: list[StartReport] = []

    def from_weights(model: SurvivalModel, parts: Parts) -> None:
        report = begin(start, model, parts, outcome, specs, registry=part.registry, member=number)
        reports.append(report)

    composition = compose(part.recipe, specs, outcome, part.registry, begin=from_weights)
    return composition, reports[0]


def start_of(part: Part, report: StartReport | None) -> dict[str, Any]:
    """Return what ``training.json`` says about the weights that a training started from."""
    if report is None or part.start is None:
        return {}
    subjects = [part.cohort.subjects[row] for row in part.validation]
    seen = part.start.seen(part.cohort, subjects)
    return {"init": report.to_json() | {"validation_seen": seen}}
