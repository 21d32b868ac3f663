"""What is reported of a metric: the whole, each repeat, each fold, each site."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from survkit.evaluation.answers import Answers
from survkit.evaluation.evaluation import FoldResult, MetricResult
from survkit.evaluation.metric_names import METRICS
from survkit.evaluation.metric_statistics import CALIBRATION_CURVE, MEASURES, OVER_TIME
from survkit.evaluation.over_time import CURVE, question_name
from survkit.evaluation.part import Part
from survkit.evaluation.questions import Scope

_LABELS = {item.key: item.label for item in METRICS}
_METRICS = [(key, _LABELS[key], MEASURES[key]) for key in _LABELS]
_OVER_TIME = [
    (question_name(key), f"{_LABELS[key].removesuffix(' at the horizon')} over time", measure)
    for key, measure in OVER_TIME.items()
]
_CURVE = (CURVE, "smooth calibration at the horizon, pointwise", CALIBRATION_CURVE)


@dataclass(frozen=True, eq=False, kw_only=True)
class Scopes:
    """All scopes of one cause, with the questions that are asked of them.

    Attributes:
        pooled: All subjects, averaged over repeats.
        repeats: Each repeat alone.
        folds: By repeat and fold.
        sites: By name of the site.
    """

    pooled: Scope
    repeats: tuple[Scope, ...]
    folds: dict[tuple[int, int], Scope]
    sites: dict[str, Scope]

    @property
    def with_intervals(self) -> list[Scope]:
        """Those whose sampling error is reported; each once."""
        found = [self.pooled, *self.folds.values(), *self.sites.values()]
        return list(dict.fromkeys(found))

    def metric(self, key: str, answers: Answers) -> MetricResult:
        """Return one metric of all scopes."""
        return MetricResult(
            pooled=answers.one(self.pooled, key),
            repeats=tuple(answers.one(scope, key) for scope in self.repeats),
            folds=tuple(
                FoldResult(repeat, fold, answers.one(scope, key))
                for (repeat, fold), scope in self.folds.items()
            ),
            sites={name: answers.one(scope, key) for name, scope in self.sites.items()},
        )


def scopes_of(everything: Part) -> Scopes:
    """Compute the metrics of the sample in every scope.

    Args:
        everything: All rows of the table, of all repeats, with the counts of the sample itself.
    """
    table = everything.predictions
    repeats = [everything.of(np.flatnonzero(table.repeat == number)) for number in table.repeats]
    pooled = Scope.ask(repeats, [*_METRICS, *_OVER_TIME, _CURVE])
    folds = {}
    for number, part in zip(table.repeats, repeats, strict=True):
        for fold in part.folds():
            same = fold is part and len(repeats) == 1  # one fold is the whole
            place = (number, int(table.fold[fold.rows[0]]))
            folds[place] = pooled if same else Scope.ask([fold], _METRICS)
    single = [pooled] if len(repeats) == 1 else [Scope.ask([part], _METRICS) for part in repeats]
    return Scopes(
        pooled=pooled,
        repeats=tuple(single),
        folds=folds,
        sites={name: _site(name, repeats, pooled) for name in table.sites},
    )


def _site(name: str, repeats: list[Part], pooled: Scope) -> Scope:
    table = pooled.parts[0].predictions
    if table.site is None or len(table.sites) == 1:
        return pooled
    rows = [part.rows[table.site[part.rows] == name] for part in repeats]
    return Scope.ask([repeats[0].of(each) for each in rows if len(each)], _METRICS)
