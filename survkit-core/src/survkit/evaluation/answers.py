"""From a question with its resamples or influences to estimates with intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.evaluation.jackknife import deviations, normal_interval
from survkit.evaluation.questions import Question, Scope
from survkit.evaluation.resampling import Units
from survkit.evaluation.settings import EvaluateSettings
from survkit.evaluation.summarise import method_of, percentiles, subjects_of, units_among
from survkit.metrics.estimate import Estimate, Interval, Result, Undefined

Bounds = tuple[Interval | None, str]
"""An interval, and what to say about it or about why there is none."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Gives estimates to questions.

    Attributes:
        units: What was resampled as a whole.
        settings: How intervals are made.
    """

    units: Units
    settings: EvaluateSettings

    def one(self, scope: Scope, name: str) -> Result:
        """Return the answer to a question with one value."""
        question = scope.questions[name]
        if isinstance(question.value, Undefined):
            return question.value
        return self._estimates(scope, question, question.value)[0]

    def several(
        self, scope: Scope, name: str, reason: Callable[[int], Undefined]
    ) -> list[Result] | Undefined:
        """Return the answers to a question with several points.

        Args:
            scope: Whose question.
            name: Which.
            reason: Why there is no value at a point.
        """
        question = scope.questions[name]
        if isinstance(question.value, Undefined):
            return question.value
        found = self._estimates(scope, question, question.value)
        return [
            each if each.value == each.value else reason(point) for point, each in enumerate(found)
        ]

    def _estimates(self, scope: Scope, question: Question, value: Tensor) -> list[Estimate]:
        values = value.reshape(-1).tolist()
        parts = scope.parts[:1] if question.measure.first_repeat else scope.parts
        words = method_of(question.label, parts)
        return [
            Estimate(each, interval, words + note, subjects_of(parts), parts[0].events)
            for each, (interval, note) in zip(
                values, self._bounds(scope, question, values), strict=True
            )
        ]

    def _bounds(self, scope: Scope, question: Question, values: list[float]) -> list[Bounds]:
        clusters = units_among(scope.parts, self.units)
        if clusters < 2:
            note = f"; no interval: all of one {self.units.kind}" if self._asked() else ""
            return [(None, note)] * len(values)
        if question.influence is not None:
            return self._by_influence(question, values, clusters)
        if not question.replicates:
            return [(None, self._why_none(question))] * len(values)
        columns = torch.cat(question.replicates).reshape(-1, len(values)).unbind(1)
        return [
            self._by_resamples(value, column, clusters)
            for value, column in zip(values, columns, strict=True)
        ]

    def _by_influence(self, question: Question, values: list[float], clusters: int) -> list[Bounds]:
        scale, influence = question.measure.scale, question.influence
        assert scale is not None, "asked only where there is one"
        assert influence is not None, "asked only where it was computed"
        sites = None if self.units.kind == "subject" else clusters
        found = []
        for value, deviation in zip(
            values, deviations(influence, clusters=sites).tolist(), strict=True
        ):
            interval, note = normal_interval(
                value, deviation, scale=scale, level=self.settings.level, clusters=sites
            )
            if interval is not None:
                note = f"; infinitesimal jackknife over {self.units.told(clusters)}{note}"
            found.append((interval, note))
        return found

    def _by_resamples(self, value: float, column: Tensor, clusters: int) -> Bounds:
        interval, note = percentiles(column.numpy(), self.settings.level, self.units.told(clusters))
        if interval is not None and self.settings.interval == "jackknife":
            note += ", as distances have no jackknife interval"
        if interval is not None and len(column) < self.settings.replicates:
            note += ", fewer than asked because it is slow"
        if interval is not None and not interval.lower <= value <= interval.upper:
            note += "; the value lies outside, as resampling makes distances larger"
        return interval, note

    def _why_none(self, question: Question) -> str:
        if self.settings.interval == "jackknife" and question.measure.scale is None:
            return "; no interval: distances have no jackknife interval, only bootstrap resamples"
        return ""

    def _asked(self) -> bool:
        return self.settings.interval == "jackknife" or self.settings.replicates > 0
