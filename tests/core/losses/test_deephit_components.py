"""DeepHit's terms as components: heads that they read, settings and targets that they refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.core.losses.deephit_cases import draw, incidence_of

from survkit.discrete import cumulative_incidence, log_pmf
from survkit.errors import ConfigError, DataError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.deephit_likelihood import DeepHitLikelihood, deephit_likelihood
from survkit.losses.deephit_ranking import DeepHitRanking, RankingSettings, deephit_ranking
from survkit.specs import OutcomeSpec
from survkit.time_grid import discretise

OUTCOME = OutcomeSpec(causes=("a", "b"), horizon=4.0, time_grid=(1.0, 2.0, 3.0, 4.0))


def test_components_discretise_and_read_any_discrete_head() -> None:
    """The components give what the functions give on the outcome's grid."""
    logits, _, event, duration = draw(20, 2, 4, 1)
    target = SurvivalTarget(duration, event)
    interval, code = discretise(target, OUTCOME)
    hazards = torch.randn(20, 4, 3, generator=torch.Generator().manual_seed(0)).double()
    for name, parameters in (("pmf", logits), ("cause-interval-hazard", hazards)):
        output = ModelOutput(parameters, name, parameters)
        log_event, log_none = log_pmf(parameters, name, 2, 4)

        likelihood = DeepHitLikelihood(OUTCOME)(output, target)
        ranking = DeepHitRanking(OUTCOME, sigma=0.2)(output, target)

        torch.testing.assert_close(
            likelihood, deephit_likelihood(log_event, log_none, interval, code)
        )
        expected = deephit_ranking(
            cumulative_incidence(log_event), interval, code, settings=RankingSettings(sigma=0.2)
        )
        torch.testing.assert_close(ranking, expected)
    assert "pmf" in DeepHitLikelihood(OUTCOME).accepts
    assert "interval-hazard" in DeepHitRanking(OUTCOME).accepts


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"sigma": 0.012}, "sigma must be at least 0.0125, not 0.012"),
        ({"sigma": float("nan")}, "sigma must be at least"),
        ({"normalisation": "sum"}, "normalisation must be one of 'pairs'"),
        ({"tie_rule": "any"}, "tie_rule must be one of 'strict'"),
        ({"rank_time": "tj"}, "rank_time must be one of 'ti'"),
        ({"compare": "days"}, "compare must be one of 'interval'"),
        ({"rank_time": "own", "compare": "duration"}, "only defined on intervals"),
    ],
)
def test_wrong_settings_are_refused(setting: dict[str, Any], message: str) -> None:
    """Each refusal names the setting."""
    with pytest.raises(ConfigError, match=message):
        DeepHitRanking(OUTCOME, **setting)


def test_what_is_not_honoured_is_refused_by_name() -> None:
    """Ranking refuses weights, entry and strata; the likelihood strata."""
    logits, _, event, duration = draw(5, 2, 4, 1)
    output = ModelOutput(logits, "pmf", logits)
    column = torch.zeros(5, dtype=torch.float64)
    for name in ("weight", "entry", "strata"):
        target = SurvivalTarget(duration, event, **{name: column})
        with pytest.raises(DataError, match=f"'deephit-ranking' does not honour {name}"):
            DeepHitRanking(OUTCOME)(output, target)
    with pytest.raises(DataError, match="'deephit-likelihood' does not honour strata"):
        DeepHitLikelihood(OUTCOME)(output, SurvivalTarget(duration, event, strata=event))
    with pytest.raises(ConfigError, match="not 'never'"):
        DeepHitLikelihood(OUTCOME, censored="never")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="pass duration="):
        deephit_ranking(
            incidence_of(logits, 2, 4), event, event, settings=RankingSettings(compare="duration")
        )
