"""The demo's parts: the truth as a model, recipes that differ in their encoders, the folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from survkit.demo import DemoSettings, Row
from survkit.demo.epoch_count import epochs_trained, epochs_watched
from survkit.demo.oracle import best_of, evaluate_oracle
from survkit.demo.run_demo import demo_recipes
from survkit.errors import ConfigError
from survkit.evaluation import Predictions, evaluate
from survkit.evaluation.metric_names import HARRELL, OBSERVED_EXPECTED
from survkit.metrics.estimate import Estimate, Result, Undefined
from survkit.phantom import Phantom, PhantomConfig, generate_phantom


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return generate_phantom(PhantomConfig(subjects=80, size=16, seed=1))


@pytest.fixture(scope="module")
def predictions(phantom: Phantom) -> Predictions:
    """One fold in which everybody, in another order than the cohort's, has the same prediction."""
    order = np.random.default_rng(0).permutation(len(phantom))
    grid = np.array([365.0, 1095.0, 1825.0])
    return Predictions(
        subject=np.array(phantom.subject_ids)[order],
        repeat=np.zeros(len(order), dtype=np.int64),
        fold=np.zeros(len(order), dtype=np.int64),
        duration=phantom.outcome.duration[order],
        event=phantom.outcome.event[order],
        causes=("cancer_death",),
        time_unit="days",
        horizon=1825.0,  # the end of follow-up, so that nothing is cut off
        time_grid=grid,
        cumulative_incidence=np.tile([0.2, 0.3, 0.4], (len(order), 1, 1)),
        risk_score=np.zeros((len(order), 1)),
        model="nothing",
        splits_hash="none",
        seed=0,
    )


def value(result: Result) -> float:
    assert isinstance(result, Estimate)
    return result.value


def test_the_oracle_is_that_of_the_phantom(phantom: Phantom, predictions: Predictions) -> None:
    """In one fold of all subjects, whatever their order, its concordances are the phantom's own."""
    oracle = evaluate_oracle(phantom, predictions, replicates=20)

    found = oracle.metric(HARRELL).pooled
    assert value(found) == pytest.approx(value(phantom.oracle_concordance()), abs=1e-12)
    assert isinstance(found, Estimate)
    assert found.interval is not None
    for modality in ("ct", "pet", "clinical"):
        own = best_of(phantom, predictions, modality)
        assert value(own) == pytest.approx(value(phantom.oracle_concordance(modality)), abs=1e-12)


def test_the_oracle_predicts_the_true_incidence(phantom: Phantom, predictions: Predictions) -> None:
    """It expects about as many events as there are, which the blind prediction does not."""
    blind = evaluate(predictions, replicates=0)
    oracle = evaluate_oracle(phantom, predictions, replicates=0)

    ratios = [value(one.metric(OBSERVED_EXPECTED).pooled) for one in (blind, oracle)]
    assert ratios[0] > 1.5
    assert 0.85 < ratios[1] < 1.15


def test_shares_count_from_chance(phantom: Phantom, predictions: Predictions) -> None:
    """The oracle goes the whole way, the same prediction for everybody none of it; without a best
    there is no share.
    """
    oracle = evaluate_oracle(phantom, predictions, replicates=0)
    best = oracle.metric(HARRELL).pooled

    assert Row("oracle", oracle, best).share == 1.0
    assert Row("nothing", evaluate(predictions, replicates=0), best).share == 0.0
    assert Row("oracle", oracle, Undefined("no pair", 0, 0)).share is None


def test_models_differ_in_their_encoders_alone() -> None:
    """A single modality's recipe is the fused one with that one encoder."""
    recipes = demo_recipes(DemoSettings(seed=7, changes=("training.epochs=3",)))
    fused = recipes["fused"].to_dict()

    assert list(recipes) == ["fused", "ct", "pet", "clinical"]
    assert fused["training"]["seed"] == 7
    assert fused["training"]["epochs"] == 3
    for name in ("ct", "pet", "clinical"):
        alone = recipes[name].to_dict()
        assert alone["encoders"] == {name: fused["encoders"][name]}
        changed = {key for key in fused if fused[key] != alone[key]}
        assert changed == {"encoders", "title"}


def test_a_negative_seed_is_refused() -> None:
    """As everywhere."""
    with pytest.raises(ConfigError, match="0 or larger, not -1"):
        DemoSettings(seed=-1)


def test_epochs_are_counted_in_the_logs(tmp_path: Path) -> None:
    """The heading is no epoch; a run that has not begun has none; the end is always told."""
    for fold, epochs in enumerate((3, 1)):
        folder = tmp_path / "run" / f"fold-{fold}"
        folder.mkdir(parents=True)
        (folder / "log.csv").write_text("epoch,train_loss\n" + "0,1\n" * epochs)
    told: dict[str, int] = {}

    with epochs_watched({"run": tmp_path / "run", "later": tmp_path / "later"}, told.__setitem__):
        pass

    assert epochs_trained(tmp_path / "run") == 4
    assert told == {"run": 4, "later": 0}
