"""Tables of radiomic features: z-scores under a Cox head, tokens by group, refusals."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from survkit.errors import CompositionError, ConfigError
from survkit.flow import ModalityInput
from survkit.heads.cox import CoxHead
from survkit.losses.cox import cox_loss
from survkit.specs import ColumnSpec, InputSpec, OutcomeSpec
from survkit.testing import EncoderConformance, random_input, random_target
from survkit_radvit.radiomics import RadiomicsEncoder

NAMES = (
    "original_glcm_Contrast",
    "original_firstorder_Mean",
    "wavelet-HHL_glcm_Contrast",
    "wavelet-HHL_shape_Sphericity",
    "volume_ml",
)
TABLE = InputSpec(kind="table", shape=(5,), columns=tuple(ColumnSpec(name) for name in NAMES))
OUTCOME = OutcomeSpec(causes=("death",), horizon=10.0, time_grid=(5.0, 10.0))


class TestFeaturesThemselves(EncoderConformance):
    component = RadiomicsEncoder
    input = TABLE
    missing = 0.2


class TestGroups(EncoderConformance):
    component = RadiomicsEncoder
    input = TABLE
    missing = 0.2
    settings: ClassVar = {"dim": 6, "hidden": [8], "dropout": 0.2}


class TestVector(EncoderConformance):
    component = RadiomicsEncoder
    input: ClassVar = InputSpec(kind="vector", shape=(7,))
    settings: ClassVar = {"dim": 4}


def given(*, gaps: float = 0.0) -> ModalityInput:
    return random_input(TABLE, 40, missing=gaps, dtype=torch.float64)


def fitted(**settings: Any) -> RadiomicsEncoder:
    torch.manual_seed(0)
    encoder = RadiomicsEncoder(TABLE, **settings).double().eval()
    encoder.fit(given())
    return encoder


def test_under_a_cox_head_it_is_cox_regression_on_z_scores() -> None:
    """Log hazard = weight . z, nothing between; population SD."""
    encoder, batch = fitted(), given()
    head = CoxHead(encoder.encoding.dim, OUTCOME).double()
    values = batch.values
    z = (values - values.mean(dim=0)) / values.std(dim=0, correction=0)

    log_hazard = head(encoder(batch).summary)

    (weight,) = head.parameters()
    assert not list(encoder.parameters())
    torch.testing.assert_close(log_hazard, z @ weight.T, rtol=1e-12, atol=1e-12)


def test_with_a_penalty_it_is_ridge_cox() -> None:
    """The head's weights that minimise the core's loss plus a ridge are those of scikit-survival on
    numpy's z-scores.
    """
    linear_model = pytest.importorskip("sksurv.linear_model")
    encoder, batch = fitted(), given()
    target = random_target(OUTCOME, 40, seed=1)
    observed, values = target.event > 0, batch.values.numpy()
    head = CoxHead(5, OUTCOME).double()
    (weight,) = head.parameters()
    optimizer: Any = torch.optim.LBFGS(
        [weight], max_iter=200, tolerance_grad=1e-12, tolerance_change=0
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        per_event = cox_loss(head(encoder(batch).summary)[:, 0], target.duration, observed)
        value = per_event * observed.sum() + 7.0 / 2 * weight.square().sum()
        torch.autograd.backward(value)
        return value

    optimizer.step(loss)

    ridge = linear_model.CoxPHSurvivalAnalysis(alpha=7.0, ties="breslow", tol=1e-12)
    outcome = np.array(
        list(zip(observed.tolist(), target.duration.tolist(), strict=True)),
        dtype=[("event", bool), ("time", float)],
    )
    ridge.fit((values - values.mean(0)) / values.std(0), outcome)
    np.testing.assert_allclose(weight.detach().numpy()[0], ridge.coef_, rtol=1e-5, atol=1e-8)


def test_a_token_reads_its_group_alone() -> None:
    """Another value of a wavelet GLCM feature moves the token of GLCM, and the mean by a quarter of
    that.
    """
    encoder, batch = fitted(dim=3), given()
    changed = batch.values.clone()
    changed[:, 2] += 1.0

    before, after = encoder(batch), encoder(ModalityInput(changed, batch.present))

    moved = after.tokens - before.tokens
    assert list(encoder.feature_groups()) == ["glcm", "firstorder", "shape", "other"]
    assert moved.abs().amax(dim=(0, 2)).gt(0).tolist() == [True, False, False, False]
    torch.testing.assert_close(after.summary - before.summary, moved[:, 0] / 4)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ("class", {"glcm": (0, 2), "firstorder": (1,), "shape": (3,), "other": (4,)}),
        ("filter", {"original": (0, 1), "wavelet-HHL": (2, 3), "other": (4,)}),
        ("none", {"radiomics": (0, 1, 2, 3, 4)}),
    ],
)
def test_groups_are_columns_of_the_input(groups: Any, expected: dict[str, tuple[int, ...]]) -> None:
    """Also where the summary is the features themselves."""
    assert fitted(groups=groups).feature_groups() == expected
    assert fitted(groups=groups, dim=2).encoding.tokens == len(expected)


def test_a_vector_is_one_group() -> None:
    """Its entries have no names."""
    encoder = RadiomicsEncoder(InputSpec(kind="vector", shape=(3,)), dim=2)

    assert encoder.feature_groups() == {"radiomics": (0, 1, 2)}
    assert encoder.encoding.tokens == 1


def test_gaps_of_new_subjects_are_training_medians() -> None:
    """As if the table had held the median of the training subjects there."""
    encoder, batch = fitted(), given(gaps=0.3)
    median = given().values.quantile(0.5, dim=0)
    filled = torch.where(batch.values.isnan(), median, batch.values)

    found = encoder(batch).summary

    torch.testing.assert_close(found, encoder(ModalityInput(filled, batch.present)).summary)


def test_what_does_not_fit_is_refused() -> None:
    """In a sentence that says what would."""
    levels = InputSpec(
        kind="table", shape=(2,), columns=(ColumnSpec("glcm_Id"), ColumnSpec("sex", ("f", "m")))
    )
    with pytest.raises(CompositionError, match="column 'sex' holds categories; leave it out"):
        RadiomicsEncoder(levels)
    with pytest.raises(CompositionError, match="is a volume; radvit/roi-radiomics computes"):
        RadiomicsEncoder(InputSpec(kind="volume", shape=(1, 8, 8, 8)))
    with pytest.raises(ConfigError, match=r"hidden layers \[8\] need a dim"):
        RadiomicsEncoder(TABLE, hidden=[8])
    with pytest.raises(ConfigError, match="must be at least 1, not 0"):
        RadiomicsEncoder(TABLE, dim=0)
    with pytest.raises(ConfigError, match=r"dropout must lie in \[0, 1\), not 1"):
        RadiomicsEncoder(TABLE, dim=2, dropout=1.0)
    with pytest.raises(ConfigError, match="one of class, filter, none, not 'kind'"):
        RadiomicsEncoder(TABLE, groups="kind")  # type: ignore[arg-type]
