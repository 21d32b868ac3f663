"""Distance of the predicted probabilities at the horizon from a smooth curve of what was observed.

The curve is a Cox regression (Fine–Gray with competing causes) on a spline of the prediction, over
all subjects of the part, and is fitted anew in every resample: once for all indices. It takes most
of the time of an evaluation, so it is resampled at most :data:`MOST_RESAMPLES` times.

None of the indices is smooth in how often a subject counts: distances have a kink at 0, medians and
quantiles jump; so their intervals come from the bootstrap alone.

Reference: Austin, Harrell and van Klaveren (2020); Austin et al. (2022).
"""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.evaluation.part import NO_PROBABILITIES, Part
from survkit.metrics.estimate import Undefined
from survkit.metrics.ici import calibration_index_statistic
from survkit.metrics.ici_statistic import CalibrationIndex, CalibrationIndexStatistic

Values = Tensor | Undefined

MOST_RESAMPLES = 1000
CURVE_POINTS = 50
"""At most so many predictions are points of the calibration curve."""


def ici(part: Part) -> Values:
    """Mean distance; (replicate)."""
    return _index(part, "ici")


def e50(part: Part) -> Values:
    """Median distance; (replicate)."""
    return _index(part, "e50")


def e90(part: Part) -> Values:
    """0.9 quantile of the distances; (replicate)."""
    return _index(part, "e90")


def curve_points(part: Part) -> Values:
    """Smooth observed incidence at :func:`curve_rows`; (replicate, point)."""
    observed = _observed(part)
    return observed if isinstance(observed, Undefined) else observed[:, curve_rows(part)]


def curve_rows(part: Part) -> Tensor:
    """Subjects at evenly spaced ranks of their prediction, lowest first, each value once."""
    predicted = part.incidence_at(part.predictions.time_grid[-1:])
    assert predicted is not None, "a curve has predictions"
    ascending, order = torch.sort(predicted[:, 0], stable=True)
    places = torch.linspace(0, len(order) - 1, min(CURVE_POINTS, len(order))).round().long()
    first = torch.ones(len(places), dtype=torch.bool)
    first[1:] = ascending[places][1:] > ascending[places][:-1]
    return order[places[first]]


def _index(part: Part, index: CalibrationIndex) -> Values:
    observed = _observed(part)
    if isinstance(observed, Undefined):
        return observed
    statistic = _statistic(part)
    assert isinstance(statistic, CalibrationIndexStatistic), "a curve was fitted"
    return statistic.summary(observed, part.drawn, index)


def _statistic(part: Part) -> CalibrationIndexStatistic | Undefined:
    return part.once("calibration statistic", lambda: _make_statistic(part))


def _make_statistic(part: Part) -> CalibrationIndexStatistic | Undefined:
    table = part.predictions
    if table.entry is not None:
        return part.undefined("a smooth calibration curve cannot use subjects who entered late")
    predicted = part.incidence_at(table.time_grid[-1:])
    if predicted is None:
        return part.undefined(NO_PROBABILITIES)
    statistic = calibration_index_statistic(
        table.horizon, predicted[:, 0], part.target, cause=part.cause
    )
    impossible = statistic.undefined()
    return statistic if impossible is None else part.undefined(impossible.reason)


def _observed(part: Part) -> Values:
    return part.once("smooth calibration", lambda: _fit(part))


def _fit(part: Part) -> Values:
    """Smooth observed incidence of everybody; (replicate, batch)."""
    statistic = _statistic(part)
    if isinstance(statistic, Undefined):
        return statistic
    observed = statistic.observed(part.drawn)
    if bool(observed[0].isnan().any()):
        return part.undefined(statistic.no_maximum().reason)
    return observed
