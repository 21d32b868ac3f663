"""The conformance tests of survival heads."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from survkit.errors import ConfigError, DataError, UserError
from survkit.prediction import SurvivalPrediction
from survkit.protocols import FitsBaseline
from survkit.specs import OutcomeSpec
from survkit.testing.batches import parameter_shape, random_target
from survkit.testing.kit import (
    Kit,
    assert_close,
    assert_every_parameter_learns,
    assert_same_state,
)


class HeadConformance(Kit):
    """What every head must keep; a subclass gives ``component``, ``settings``, ``outcome``."""

    outcome: ClassVar[OutcomeSpec] = OutcomeSpec(
        causes=("death",), horizon=24.0, time_grid=(3.0, 6.0, 12.0, 18.0, 24.0)
    )
    """What is predicted."""
    in_dim: ClassVar[int] = 6
    subjects: ClassVar[int] = 12

    def build(self, seed: int = 0, *, fitted: bool = True) -> Any:
        """Return the head in eval mode and float64, with a baseline where it needs one."""
        torch.manual_seed(seed)
        head = type(self).component(self.in_dim, self.outcome, **self.settings).eval().double()
        if fitted and isinstance(head, FitsBaseline):
            with torch.no_grad():
                parameters = head(self.embedding(seed=50, subjects=30))  # type: ignore[operator]
            head.fit_baseline(parameters, random_target(self.outcome, 30, seed=50))
        return head

    def embedding(self, *, seed: int = 1, subjects: int | None = None) -> Tensor:
        """Return random embeddings (batch, dim) in float64."""
        generator = torch.Generator().manual_seed(seed)
        axes = (subjects or self.subjects, self.in_dim)
        return torch.randn(axes, generator=generator, dtype=torch.float64)

    def predict(self) -> SurvivalPrediction:
        """Return the prediction of a fitted head for random subjects."""
        head = self.build()
        with torch.no_grad():
            prediction: SurvivalPrediction = head.predict(head(self.embedding()))
        return prediction

    def times(self, prediction: SurvivalPrediction) -> Tensor:
        """Return times from 0 to the last one known, on and between the knots."""
        until = prediction.last_time
        grid = [time for time in self.outcome.time_grid if time <= until]
        return torch.cat(
            [torch.linspace(0, until, 41).double().clamp(max=until), torch.tensor(grid).double()]
        ).sort()[0]

    def test_parameters_have_the_declared_meaning(self) -> None:
        """Parameters are finite and have the axes of the parameterization."""
        head = self.build()

        parameters = head(self.embedding())

        assert len(parameters) == self.subjects
        assert bool(parameters.isfinite().all())
        try:
            expected = parameter_shape(head.parameterization, self.outcome)
        except ConfigError:  # a plugin's own
            assert head.parameterization
        else:
            assert parameters.shape[1:] == expected

    def test_rows_are_independent(self) -> None:
        """In eval mode a subject alone gets the parameters it gets among others."""
        head, embedding = self.build(), self.embedding()

        alone = torch.cat([head(embedding[[row]]) for row in range(self.subjects)])

        assert_close(alone, head(embedding))

    def test_every_parameter_learns(self) -> None:
        """Every trainable parameter gets a gradient."""
        head = self.build().train()

        assert_every_parameter_learns(head, [head(self.embedding())])

    def test_float64_stays_float64(self) -> None:
        """Neither parameters nor curves lose digits."""
        head = self.build()
        parameters = head(self.embedding())
        prediction = head.predict(parameters)
        times = self.times(prediction)

        assert parameters.dtype == torch.float64
        assert prediction.survival(times).dtype == torch.float64
        assert prediction.cumulative_incidence(times).dtype == torch.float64

    def test_state_round_trip(self) -> None:
        """A fresh head with the saved state predicts alike, bit for bit, baseline included."""
        head, fresh = self.build(), self.build(seed=5, fitted=False)
        assert_same_state(head, fresh)
        expected = head.predict(head(self.embedding()))
        times = self.times(expected)

        actual = fresh.predict(fresh(self.embedding()))

        assert actual.last_time == expected.last_time
        assert torch.equal(actual.survival(times), expected.survival(times))
        assert torch.equal(actual.cumulative_incidence(times), expected.cumulative_incidence(times))

    def test_survival_falls_from_one(self) -> None:
        """S(0) = 1, S stays within [0, 1] and never increases."""
        prediction = self.predict()
        survival = prediction.survival(self.times(prediction))

        torch.testing.assert_close(survival[:, 0], torch.ones_like(survival[:, 0]))
        assert bool(((survival >= 0) & (survival <= 1)).all())
        assert bool((survival.diff(dim=1) <= 1e-12).all())

    def test_incidences_and_survival_sum_to_one(self) -> None:
        """At every time each subject is event-free or has had exactly one of the causes."""
        prediction = self.predict()
        times = self.times(prediction)
        incidence = prediction.cumulative_incidence(times)

        total = incidence.sum(dim=1) + prediction.survival(times)

        assert incidence.shape == (self.subjects, len(self.outcome.causes), len(times))
        assert prediction.causes == len(self.outcome.causes)
        torch.testing.assert_close(total, torch.ones_like(total), rtol=0, atol=1e-9)
        assert bool((incidence >= 0).all())
        assert bool((incidence.diff(dim=2) >= -1e-12).all())

    def test_cumulative_hazard_is_minus_log_survival(self) -> None:
        """H(t) = -log S(t)."""
        prediction = self.predict()
        times = self.times(prediction)

        expected = -prediction.survival(times).log()

        torch.testing.assert_close(
            prediction.cumulative_hazard(times), expected, rtol=1e-9, atol=1e-9
        )

    def test_risk_score_ranks_as_incidence_does(self) -> None:
        """Who has the higher risk score has no lower incidence at the horizon, for every cause."""
        prediction = self.predict()
        horizon = min(self.outcome.horizon, prediction.last_time)
        incidence = prediction.cumulative_incidence([horizon])[:, :, 0]
        for cause in range(prediction.causes):
            score = prediction.risk_score(horizon, cause + 1)
            order = score.argsort()

            assert score.shape == (self.subjects,)
            assert bool((incidence[order, cause].diff() >= -1e-12).all())

    def test_unknown_times_are_refused(self) -> None:
        """Beyond the last time, before 0 and NaN are refused, not extrapolated."""
        prediction = self.predict()
        for time in (prediction.last_time * 1.001, -1.0, float("nan")):
            for ask in (
                prediction.survival,
                prediction.cumulative_incidence,
                prediction.cumulative_hazard,
            ):
                with pytest.raises(DataError):
                    ask([time])

    def test_prediction_without_baseline_is_refused(self) -> None:
        """A head that needs a baseline says so before it has one."""
        head = self.build(fitted=False)
        if isinstance(head, FitsBaseline):
            with pytest.raises(UserError, match="fit_baseline"):
                head.predict(head(self.embedding()))  # type: ignore[attr-defined, operator]

    def test_other_numbers_of_causes_are_taken_or_refused(self) -> None:
        """One cause and three either work or are refused in a sentence."""
        for causes in (("death",), ("cancer", "heart", "other")):
            outcome = OutcomeSpec(
                causes=causes, horizon=self.outcome.horizon, time_grid=self.outcome.time_grid
            )
            try:
                head = type(self).component(self.in_dim, outcome, **self.settings).double()
            except UserError:
                continue

            assert bool(head(self.embedding()).isfinite().all())
