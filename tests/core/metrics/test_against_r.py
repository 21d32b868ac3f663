"""Scores of every cause, weighted concordance and censoring against R, where older files do not.

``golden_iii.R`` tells packages and versions; ``docs/metrics.md`` has the whole list of references.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from survkit.flow import SurvivalTarget
from survkit.metrics import (
    Estimate,
    brier_score,
    brier_score_incidence,
    dynamic_auc,
    integrated_brier_score_incidence,
    scaled_brier_score,
    scaled_brier_score_incidence,
    uno_concordance,
)
from survkit.nonparametric.censoring import censoring_survival

FOLDER = Path(__file__).parents[1] / "golden" / "metrics"
FIRST, SECOND, THIRD = (
    json.loads((FOLDER / f"golden{number}.json").read_text()) for number in ("", "_ii", "_iii")
)
TIMES = THIRD["times"]


def doubles(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def value(result: object) -> float:
    assert isinstance(result, Estimate), result
    return result.value


def cohort(column: str) -> SurvivalTarget:
    data = SECOND["cohort"]
    return SurvivalTarget(doubles(data["duration"]), torch.tensor(data[column]))


def predicted(scored: list[float]) -> Tensor:
    return doubles(scored).view(3, -1).T


@pytest.mark.parametrize(
    ("cause", "scored"), [(1, SECOND["incidence"]), (2, THIRD["other"])], ids=["one", "two"]
)
def test_each_of_two_causes_equals_score(cause: int, scored: list[float]) -> None:
    """AUC, Brier score and index of prediction accuracy of R's riskRegression, both causes."""
    target, incidence, expected = cohort("cause"), predicted(scored), THIRD[f"cause_{cause}"]

    scores = brier_score_incidence(incidence, TIMES, target, target, cause=cause)
    areas = dynamic_auc(incidence, TIMES, target, target, cause=cause, controls="cause-free")

    assert [value(one) for one in scores] == pytest.approx(expected["brier"], rel=1e-12)
    assert [value(one) for one in areas] == pytest.approx(expected["auc"], rel=1e-12)
    for place, time in enumerate(TIMES):
        column = incidence[:, [place]]
        scaled = scaled_brier_score_incidence(column, [time], target, target, cause=cause)
        assert value(scaled) == pytest.approx(expected["scaled_brier"][place], rel=1e-11)


def test_null_model_of_score_is_the_curve_of_everybody() -> None:
    """Kaplan–Meier's and Aalen–Johansen's curve have the Brier score of R's null model."""
    target, incidence = cohort("event"), predicted(SECOND["risk"])
    for place, time in enumerate(TIMES):
        column = 1 - incidence[:, [place]]
        score = value(brier_score(column, [time], target, target)[0])
        scaled = value(scaled_brier_score(column, [time], target, target))

        assert score / (1 - scaled) == pytest.approx(THIRD["survival"]["null_brier"][place])


@pytest.mark.parametrize("cause", [1, 2])
def test_integral_is_the_trapezoid_of_rs_scores(cause: int) -> None:
    """Average over 2, 5 and 8 of the scores that R gives there."""
    scored = (SECOND["incidence"], THIRD["other"])[cause - 1]
    target, first, middle, last = cohort("cause"), *THIRD[f"cause_{cause}"]["brier"]

    found = integrated_brier_score_incidence(predicted(scored), TIMES, target, target, cause=cause)

    assert value(found) == pytest.approx((3 * (first + middle) / 2 + 3 * (middle + last) / 2) / 6)


def test_weighted_uno_equals_concordance() -> None:
    """Case weights and ties: R's concordance(timewt = "n/G2", weights =, ymax =)."""
    data = FIRST["veteran"]
    target = SurvivalTarget(
        doubles(data["duration"]), torch.tensor(data["event"]), weight=doubles(data["diagtime"])
    )

    found = value(uno_concordance(-doubles(data["karno"]), target, target, tau=300.0))

    assert found == pytest.approx(1 - THIRD["uno_weight_tau_300"][0], rel=1e-13)


def test_censoring_with_ties_equals_prodlim() -> None:
    """At a tied time events leave before censorings: prodlim(reverse = TRUE)."""
    expected = THIRD["censoring"]
    target = SurvivalTarget(doubles(expected["duration"]), torch.tensor(FIRST["veteran"]["event"]))

    found = censoring_survival(target).at(expected["times"])

    assert found.tolist() == pytest.approx(expected["survival"], rel=1e-13)
