"""The Cox head: Breslow baselines, incidences of competing causes, saving."""

from __future__ import annotations

from copy import deepcopy
from math import exp, expm1

import pandas as pd
import pytest
import torch
from lifelines import CoxPHFitter
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.heads.cox import CoxHead
from survkit.specs import OutcomeSpec

ONE = OutcomeSpec(causes=("death",), horizon=24.0, time_grid=(12.0, 24.0))
TWO = OutcomeSpec(causes=("cancer", "other"), horizon=24.0, time_grid=(12.0, 24.0))


def cohort(subjects: int = 60, causes: int = 1) -> tuple[Tensor, SurvivalTarget]:
    """Return covariates and a target with ties and censoring."""
    generator = torch.Generator().manual_seed(0)
    covariates = torch.randn(subjects, 2, generator=generator, dtype=torch.float64)
    duration = torch.randint(1, 20, (subjects,), generator=generator).double()
    event = torch.randint(0, causes + 1, (subjects,), generator=generator)
    return covariates, SurvivalTarget(duration=duration, event=event)


def fitted(outcome: OutcomeSpec, parameters: Tensor, target: SurvivalTarget) -> CoxHead:
    """Return a head with the baseline of the given log hazards."""
    head = CoxHead(2, outcome).double()
    head.fit_baseline(parameters, target)
    return head


def test_baseline_and_curves_agree_with_lifelines() -> None:
    """With the coefficients of lifelines, survival equals its own at every event time."""
    covariates, target = cohort()
    table = pd.DataFrame(covariates.numpy(), columns=["a", "b"])
    table["duration"], table["event"] = target.duration.numpy(), target.event.numpy()
    reference = CoxPHFitter().fit(table, "duration", "event")
    log_hazard = covariates @ torch.tensor(reference.params_.to_numpy())
    head = fitted(ONE, log_hazard[:, None], target)

    times = sorted(table.duration[table.event == 1].unique())
    survival = head.predict(log_hazard[:, None]).survival(times)

    expected = reference.predict_survival_function(table, times=times).to_numpy().T
    torch.testing.assert_close(survival, torch.tensor(expected), rtol=1e-9, atol=1e-9)


def test_without_covariates_it_is_the_nelson_aalen_estimate() -> None:
    """Three subjects, events at 1 and 2: H = 1/3, then 1/3 + 1/2, and nothing happens between."""
    target = SurvivalTarget(
        duration=torch.tensor([1.0, 2.0, 3.0]).double(), event=torch.tensor([1, 1, 0])
    )
    head = fitted(ONE, torch.zeros(3, 1).double(), target)

    hazard = head.predict(torch.zeros(1, 1).double()).cumulative_hazard([0.5, 1.0, 1.9, 2.0, 3.0])

    expected = torch.tensor([[0.0, 1 / 3, 1 / 3, 5 / 6, 5 / 6]]).double()
    torch.testing.assert_close(hazard, expected)


def test_competing_incidences_follow_the_stated_formula() -> None:
    """Each fall of survival is shared among causes in proportion to their hazards (brute force)."""
    _, target = cohort(causes=2)
    generator = torch.Generator().manual_seed(1)
    parameters = torch.randn(60, 2, generator=generator, dtype=torch.float64)
    head = fitted(TWO, parameters, target)
    prediction = head.predict(parameters[:3])
    times = sorted(set(target.duration[target.event > 0].tolist()))

    for subject in range(3):
        hazard, incidence = 0.0, [0.0, 0.0]
        for position, time in enumerate(times):
            steps = []
            for cause in range(2):
                relative = parameters[:, cause].exp()
                events = ((target.duration == time) & (target.event == cause + 1)).sum()
                at_risk = relative[target.duration >= time].sum()
                steps.append(float(relative[subject] * events / at_risk))
            fall = exp(-hazard) * -expm1(-sum(steps))
            incidence = [
                total + fall * step / sum(steps)
                for total, step in zip(incidence, steps, strict=True)
            ]
            hazard += sum(steps)
            actual = prediction.cumulative_incidence([time])[subject, :, 0]

            assert actual.tolist() == pytest.approx(incidence, abs=1e-12), position
        assert float(prediction.survival([times[-1]])[subject, 0]) == pytest.approx(
            exp(-hazard), abs=1e-12
        )


@pytest.mark.parametrize("shift", [-1000.0, 1000.0])
def test_a_shift_of_all_log_hazards_changes_no_curve(shift: float) -> None:
    """The baseline takes up whatever constant the log hazards have."""
    covariates, target = cohort()
    parameters = covariates[:, :1]

    plain = fitted(ONE, parameters, target).predict(parameters)
    shifted = fitted(ONE, parameters + shift, target).predict(parameters + shift)

    times = [1.0, 5.0, 19.0]
    torch.testing.assert_close(shifted.survival(times), plain.survival(times), rtol=1e-9, atol=0)


def test_extreme_log_hazards_give_curves_and_no_nan() -> None:
    """Subjects 2,000 above and below the others have survival 0 and 1, and sums stay one."""
    covariates, target = cohort(causes=2)
    head = fitted(TWO, covariates, target)
    extreme = torch.tensor([[2000.0, 0.0], [2000.0, 2000.0], [-2000.0, -2000.0]]).double()

    prediction = head.predict(extreme)

    survival = prediction.survival([19.0])[:, 0]
    total = survival + prediction.cumulative_incidence([19.0])[:, :, 0].sum(dim=1)
    torch.testing.assert_close(survival, torch.tensor([0.0, 0.0, 1.0]).double())
    torch.testing.assert_close(total, torch.ones(3).double())


def test_entry_and_weights_enter_the_baseline() -> None:
    """Nobody is at risk before entry, and a weight of 2 is a second subject."""
    duration = torch.tensor([2.0, 3.0, 4.0]).double()
    event = torch.tensor([1, 1, 0])
    entry = torch.tensor([0.0, 2.5, 0.0]).double()
    weight = torch.tensor([1.0, 1.0, 2.0]).double()
    target = SurvivalTarget(duration=duration, event=event, entry=entry, weight=weight)

    head = fitted(ONE, torch.zeros(3, 1).double(), target)

    hazard = head.predict(torch.zeros(1, 1).double()).cumulative_hazard([2.0, 3.0])
    torch.testing.assert_close(hazard, torch.tensor([[1 / 3, 1 / 3 + 1 / 3]]).double())


def test_strata_are_pooled() -> None:
    """The baseline is one for all strata."""
    covariates, target = cohort()
    strata = SurvivalTarget(
        duration=target.duration, event=target.event, strata=torch.arange(60) % 2
    )

    pooled = fitted(ONE, covariates[:, :1], target).baseline_hazard
    stratified = fitted(ONE, covariates[:, :1], strata).baseline_hazard

    assert torch.equal(pooled, stratified)


def test_nothing_is_said_beyond_the_training_follow_up() -> None:
    """The last censoring time is known, the day after is refused."""
    target = SurvivalTarget(duration=torch.tensor([1.0, 7.0]).double(), event=torch.tensor([1, 0]))
    prediction = fitted(ONE, torch.zeros(2, 1).double(), target).predict(torch.zeros(1, 1))

    assert prediction.last_time == 7.0
    assert prediction.survival([7.0]).shape == (1, 1)
    with pytest.raises(DataError, match=r"between 0 and 7, .* but 8 was asked"):
        prediction.survival([8.0])


def test_without_events_nothing_is_expected_to_happen() -> None:
    """A training set of censored subjects gives survival 1 until the end of their follow-up."""
    target = SurvivalTarget(duration=torch.tensor([1.0, 7.0]).double(), event=torch.zeros(2).long())

    prediction = fitted(TWO, torch.zeros(2, 2).double(), target).predict(torch.zeros(1, 2))

    assert prediction.survival([0.0, 7.0]).tolist() == [[1.0, 1.0]]
    assert prediction.cumulative_incidence([7.0]).tolist() == [[[0.0], [0.0]]]


def test_the_fitted_baseline_loads_strictly_into_a_fresh_head() -> None:
    """Its size depends on the data; loading takes it over, also twice, and float64 stays."""
    covariates, target = cohort()
    head = fitted(ONE, covariates[:, :1], target)
    fresh = CoxHead(2, ONE)

    fresh.load_state_dict(head.state_dict(), strict=True)
    fresh.load_state_dict(deepcopy(fresh.state_dict()), strict=True)

    assert fresh.baseline_times.dtype == torch.float64
    assert torch.equal(fresh.baseline_times, head.baseline_times)
    assert torch.equal(
        fresh.predict(covariates[:, :1]).incidence, head.predict(covariates[:, :1]).incidence
    )


def test_bad_log_hazards_are_refused() -> None:
    """A diverged model has no baseline."""
    covariates, target = cohort()
    covariates[3, 0] = torch.nan

    with pytest.raises(DataError, match=r"finite log hazards .* but 1 of 60 are not"):
        CoxHead(2, ONE).fit_baseline(covariates[:, :1], target)


def test_linear_head_is_a_dot_product() -> None:
    """Without hidden layers the log hazard is weight . embedding, nothing added."""
    head = CoxHead(3, ONE)
    embedding = torch.randn(4, 3)

    expected = embedding @ head.output.weight[0]
    torch.testing.assert_close(head(embedding)[:, 0], expected)
    assert float(head(torch.zeros(1, 3)).detach()) == 0.0
