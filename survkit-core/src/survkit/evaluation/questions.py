"""Every metric of every scope: its value, its resamples and the influence of each subject.

All questions about one scope are answered on the same parts, so that what they share (a censoring
model, a regression) is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from survkit.evaluation.jackknife import influences_of
from survkit.evaluation.metric_statistics import Measure
from survkit.evaluation.part import Part
from survkit.evaluation.resampling import Units, draws
from survkit.evaluation.settings import EvaluateSettings
from survkit.evaluation.summarise import mean_of_parts, units_among
from survkit.metrics.estimate import Undefined

Progress = Callable[[int, int], None]
"""Told how many resamples are done, and of how many."""


@dataclass(eq=False, kw_only=True)
class Question:
    """One measure of one scope, and what was found.

    Attributes:
        measure: What is computed.
        label: Its words.
        value: Of the sample; (1) or (1, point).
        replicates: Of the resamples, chunk by chunk; (chunk) or (chunk, point) each.
        influence: Of each unit on each value; (point, unit).
    """

    measure: Measure
    label: str
    value: Tensor | Undefined
    replicates: list[Tensor] = field(default_factory=list)
    influence: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Scope:
    """Parts over which values are averaged (all repeats, one fold, a site) and what is asked.

    Attributes:
        parts: One of each repeat, with the counts of the sample itself.
        questions: By name.
    """

    parts: tuple[Part, ...]
    questions: dict[str, Question]

    @classmethod
    def ask(cls, parts: Sequence[Part], asked: Iterable[tuple[str, str, Measure]]) -> Scope:
        """Compute the values of the sample.

        Args:
            parts: One of each repeat.
            asked: Name, label and measure of each question.
        """
        questions = {
            name: Question(measure=measure, label=label, value=_mean(measure, parts))
            for name, label, measure in asked
        }
        return cls(tuple(parts), questions)


def add_intervals(
    scopes: Sequence[Scope],
    units: Units,
    settings: EvaluateSettings,
    progress: Progress | None = None,
) -> None:
    """Add resamples or influences to all defined questions of all scopes with two units at least.

    Args:
        scopes: Whose questions.
        units: What is resampled as a whole.
        settings: How many resamples of what kind.
        progress: Is told how far it is.
    """
    able = [scope for scope in scopes if units_among(scope.parts, units) > 1]
    if settings.interval == "jackknife":
        for scope in able:
            _add_influences(scope, units)
    waiting = [
        (scope, question)
        for scope in able
        for question in scope.questions.values()
        if isinstance(question.value, Tensor)
        and (settings.interval == "bootstrap" or question.measure.scale is None)
    ]
    limits = {question.measure.most_resamples for _, question in waiting}
    wanted = {
        limit: settings.replicates if limit is None else min(limit, settings.replicates)
        for limit in limits
    }
    done, total = 0, sum(wanted.values())
    for limit, replicates in wanted.items():
        chosen = [pair for pair in waiting if pair[1].measure.most_resamples == limit]
        for counts in draws(units, replicates=replicates, seed=settings.seed):
            _add_replicates(chosen, counts)
            done += len(counts) - 1
            if progress is not None:
                progress(done, total)


def _add_influences(scope: Scope, units: Units) -> None:
    count = torch.ones(units.size, dtype=torch.float64, requires_grad=True)
    counts = count[torch.from_numpy(units.position)][None]
    root = replace(scope.parts[0], counts=counts)
    parts = [root.of(part.rows) for part in scope.parts]
    for question in scope.questions.values():
        if question.measure.scale is None or isinstance(question.value, Undefined):
            continue
        values = _mean(question.measure, parts)
        assert isinstance(values, Tensor), "it was defined without derivative"
        question.influence = influences_of(values.reshape(-1), count)
    root.forget()


def _add_replicates(chosen: Sequence[tuple[Scope, Question]], counts: Tensor) -> None:
    """Compute one chunk of resamples."""
    root = replace(chosen[0][0].parts[0], counts=counts)
    for scope, question in chosen:
        values = _mean(question.measure, [root.of(part.rows) for part in scope.parts])
        assert isinstance(values, Tensor), "it is defined in the sample, which is row 0"
        question.replicates.append(values[1:].clone())  # not a view that keeps what it is of
    root.forget()


def _mean(measure: Measure, parts: Sequence[Part]) -> Tensor | Undefined:
    return mean_of_parts(measure.statistic, parts[:1] if measure.first_repeat else parts)
