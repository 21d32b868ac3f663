"""Two competing Weibull causes in two kinds of subjects: every measure has a closed form.

Cause k has hazard ``rate[k][kind] · 2t``, so that on the clock s = t² both are exponential. With r
the rates of all causes together and q = rate₁ / r, the incidence of cause 1 is q (1 - exp(-r s)).
"""

from __future__ import annotations

from functools import cache
from itertools import product
from math import exp, expm1, pi, sqrt

import pytest
import torch
from scipy.special import erf
from torch import Tensor

from survkit.flow import SurvivalTarget
from survkit.metrics import (
    Estimate,
    antolini_from_prediction,
    brier_score_incidence,
    calibration_at,
    calibration_index,
    dynamic_auc,
    harrell_concordance,
    integrated_brier_score_incidence,
    scaled_brier_score_incidence,
    uno_concordance,
)
from survkit.nonparametric.aalen_johansen import aalen_johansen
from survkit.nonparametric.restricted_mean import restricted_mean_survival
from survkit.prediction import GridPrediction

SIZE = 200_000
SHARE = (0.4, 0.6)
FIRST, SECOND = (0.5, 1.2), (0.4, 0.2)
CENSORING = 0.35
TOGETHER = tuple(one + two for one, two in zip(FIRST, SECOND, strict=True))
TIMES = (0.4, 0.8, 1.1)
HORIZON = 0.8
KINDS = (0, 1)
CLOSE = 0.006
"""About four standard errors of the least certain measure."""


@cache
def simulated() -> tuple[Tensor, SurvivalTarget]:
    """Kind of each subject, and what was observed; about 25 % are censored."""
    generator = torch.Generator().manual_seed(1)
    uniform = torch.rand(4, SIZE, generator=generator, dtype=torch.float64)
    kind = (uniform[0] < SHARE[1]).long()
    total = torch.tensor(TOGETHER, dtype=torch.float64)[kind]
    clock, censored = -uniform[1].log() / total, -uniform[2].log() / CENSORING
    own = uniform[3] < torch.tensor(FIRST, dtype=torch.float64)[kind] / total
    event = torch.where(clock <= censored, torch.where(own, 1, 2), 0)
    return kind, SurvivalTarget(clock.minimum(censored).sqrt(), event)


def incidence(kind: int, time: float) -> float:
    return FIRST[kind] / TOGETHER[kind] * -expm1(-TOGETHER[kind] * time**2)


def survival(kind: int, time: float) -> float:
    return exp(-TOGETHER[kind] * time**2)


def mean(values: dict[int, float]) -> float:
    return sum(SHARE[kind] * values[kind] for kind in KINDS)


def predicted(*times: float, factor: float = 1.0) -> Tensor:
    """The true incidences of cause 1, or a multiple of them; (subject, time)."""
    rows = [[factor * incidence(kind, time) for time in times] for kind in KINDS]
    return torch.tensor(rows, dtype=torch.float64)[simulated()[0]]


def won(pairs: dict[tuple[int, int], float]) -> float:
    """Share of the weighted pairs in which the first is of the higher kind, ties by half."""
    credit = {(one, other): (one > other) + 0.5 * (one == other) for one, other in pairs}
    weight = {pair: SHARE[pair[0]] * SHARE[pair[1]] * pairs[pair] for pair in pairs}
    return sum(credit[pair] * weight[pair] for pair in pairs) / sum(weight.values())


def value(result: object) -> float:
    assert isinstance(result, Estimate), result
    return result.value


PAIRS = tuple(product(KINDS, KINDS))


def test_harrell_and_antolini() -> None:
    """The integral of rate₁ exp(-(r_i + r_j + 2c) s): who is censored is among those who leave."""
    kind, target = simulated()
    grid = torch.linspace(0.01, 4.0, 400, dtype=torch.float64)
    curves = torch.tensor([[incidence(one, float(t)) for t in grid] for one in KINDS])
    some = slice(0, 4_000)
    prediction = GridPrediction(grid, curves[kind[some], None].double(), "linear")
    fewer = SurvivalTarget(target.duration[some], target.event[some])

    closed = won({(i, j): FIRST[i] / (TOGETHER[i] + TOGETHER[j] + 2 * CENSORING) for i, j in PAIRS})

    assert value(harrell_concordance(kind.double(), target)) == pytest.approx(closed, abs=CLOSE)
    found = value(antolini_from_prediction(prediction, fewer))
    assert found == pytest.approx(closed, abs=5 * CLOSE)


def test_uno() -> None:
    """Until tau, as if nobody were censored; with competing events leaving, or staying at risk."""
    kind, target = simulated()
    score, clock = kind.double(), 1.1**2

    def until(rate: float) -> float:
        return -expm1(-rate * clock) / rate

    # Competing events that are no events censor: the other subject's rate is that of cause 1.
    leaving = {(i, j): FIRST[i] * until(FIRST[i] + FIRST[j]) for i, j in PAIRS}
    staying = {
        (i, j): FIRST[i]
        * (
            (1 - FIRST[j] / TOGETHER[j]) * until(TOGETHER[i])
            + FIRST[j] / TOGETHER[j] * until(TOGETHER[i] + TOGETHER[j])
        )
        for i, j in PAIRS
    }

    at_risk = uno_concordance(score, target, target, tau=1.1, competing="at-risk")
    assert value(at_risk) == pytest.approx(won(staying), abs=CLOSE)
    found = value(uno_concordance(score, target, target, tau=1.1))
    assert found == pytest.approx(won(leaving), abs=2 * CLOSE)


@pytest.mark.parametrize("controls", ["event-free", "cause-free"])
def test_dynamic_auc(controls: str) -> None:
    """Cases by the time, and controls without any event or without that of the cause."""
    kind, target = simulated()
    for time in TIMES:
        free = {
            j: survival(j, time) if controls == "event-free" else 1 - incidence(j, time)
            for j in KINDS
        }
        closed = won({(i, j): incidence(i, time) * free[j] for i, j in PAIRS})

        (found,) = dynamic_auc(kind.double(), (time,), target, target, controls=controls)

        assert value(found) == pytest.approx(closed, abs=CLOSE)


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_brier_scores(factor: float) -> None:
    """F (1 - F) + (F - prediction)², its trapezoid, and what it spares of the curve's."""
    _, target = simulated()

    def closed(time: float) -> float:
        truth = {kind: incidence(kind, time) for kind in KINDS}
        return mean({kind: f * (1 - f) + (1 - factor) ** 2 * f**2 for kind, f in truth.items()})

    everybody = mean({kind: incidence(kind, HORIZON) for kind in KINDS})
    a, b, c = (closed(time) for time in TIMES)
    integral = ((a + b) / 2 * 0.4 + (b + c) / 2 * 0.3) / 0.7
    scaled = 1 - closed(HORIZON) / (everybody * (1 - everybody))
    given = {"target": target, "training": target}

    scores = brier_score_incidence(predicted(*TIMES, factor=factor), TIMES, **given)
    average = integrated_brier_score_incidence(predicted(*TIMES, factor=factor), TIMES, **given)
    share = scaled_brier_score_incidence(predicted(HORIZON, factor=factor), (HORIZON,), **given)

    assert [value(one) for one in scores] == pytest.approx([a, b, c], abs=CLOSE / 2)
    assert value(average) == pytest.approx(integral, abs=CLOSE / 2)
    assert value(share) == pytest.approx(scaled, abs=CLOSE)


def test_calibration() -> None:
    """Observed over expected of half the truth is two; groups hold the truth of their kind."""
    _, target = simulated()

    found = calibration_at(HORIZON, predicted(HORIZON, factor=0.5)[:, 0], target, groups=5)

    assert value(found.observed_expected) == pytest.approx(2, abs=4 * CLOSE)
    groups = [value(group.observed) for group in found.groups]
    truth = [incidence(kind, HORIZON) for kind in KINDS]
    assert groups == pytest.approx(truth, abs=CLOSE)


def test_calibration_index_of_continuous_predictions() -> None:
    """One cause, hazard exp(x): cloglog predictions off by a constant, which Cox's curve mends."""
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(20_000, generator=generator, dtype=torch.float64)
    first, second = torch.rand(2, len(x), generator=generator, dtype=torch.float64)
    duration, censored = -first.log() / x.exp(), -second.log() / CENSORING
    target = SurvivalTarget(duration.minimum(censored), (duration <= censored).long())
    truth, low = (-torch.expm1(-HORIZON * x.exp() * factor) for factor in (1.0, 0.5))

    found = value(calibration_index(HORIZON, low, target))

    assert found == pytest.approx(float((truth - low).mean()), abs=2 * CLOSE)


def test_curves() -> None:
    """Aalen–Johansen of both causes, and the area under the survival from both."""
    _, target = simulated()
    curves = aalen_johansen(target.duration, target.event, 2)
    tau = 1.1

    found = curves.at(TIMES)[0].tolist()
    area = value(restricted_mean_survival(target.duration, target.event > 0, tau))

    closed = [mean({kind: incidence(kind, time) for kind in KINDS}) for time in TIMES]
    assert found == pytest.approx(closed, abs=CLOSE)
    roots = {kind: sqrt(TOGETHER[kind]) for kind in KINDS}
    gauss = mean({kind: sqrt(pi) / 2 / r * float(erf(r * tau)) for kind, r in roots.items()})
    assert area == pytest.approx(gauss, abs=CLOSE)
