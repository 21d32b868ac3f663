"""The latent factors and the hazard that is a function of them."""

import numpy as np
import pytest

from survkit.errors import ConfigError
from survkit.phantom import CauseEffects, PhantomConfig, generate_phantom
from survkit.phantom.truth import (
    CARRIES,
    DEFAULT_EFFECTS,
    FACTORS,
    draw_factors,
    log_hazard,
    reference_factors,
)


def test_factors_are_standardized_and_independent() -> None:
    """In the whole population every factor has mean 0 and SD 1, and none tells about another."""
    scores = np.stack(list(reference_factors().standardized().values()))

    np.testing.assert_allclose(scores.mean(axis=1), 0, atol=2e-3)
    np.testing.assert_allclose(np.cov(scores), np.eye(len(FACTORS)), atol=1e-2)


def test_log_hazard_is_the_stated_sum() -> None:
    """The log hazard is the weighted sum of the standardized factors."""
    factors = draw_factors(0, 20)
    scores = factors.standardized()
    effect = DEFAULT_EFFECTS[0]

    by_hand = sum(getattr(effect, name) * scores[name] for name in FACTORS)

    np.testing.assert_allclose(log_hazard(factors, (effect,))[:, 0], by_hand, rtol=1e-12)


def test_modalities_share_the_log_hazard_among_them() -> None:
    """CT, PET and clinical parts add up to the whole, and each is about a third of the variance."""
    phantom = generate_phantom(PhantomConfig(subjects=2000, size=16))
    parts = {name: phantom.partial_log_hazard(name)[:, 0] for name in ("ct", "pet", "clinical")}

    np.testing.assert_allclose(sum(parts.values()), phantom.log_hazard[:, 0], rtol=1e-9, atol=1e-12)
    for part in parts.values():
        assert 0.28 < part.var() / phantom.log_hazard.var() < 0.39


def test_cxr_carries_what_ct_carries() -> None:
    """The X-ray is made of the CT."""
    assert CARRIES["cxr"] == CARRIES["ct"]


def test_an_infinite_effect_is_refused() -> None:
    """Effects are finite."""
    with pytest.raises(ConfigError, match="effect of uptake must be a finite number, not inf"):
        CauseEffects(uptake=float("inf"))


def test_an_unknown_modality_has_no_part() -> None:
    """Asking for the part of what is not there names what is."""
    phantom = generate_phantom(PhantomConfig(subjects=2, size=16))

    with pytest.raises(ConfigError, match="one of ct, pet, cxr, clinical, not 'mri'"):
        phantom.partial_log_hazard("mri")


def test_an_unknown_cause_has_no_oracle() -> None:
    """A cohort of one cause has no second oracle."""
    phantom = generate_phantom(PhantomConfig(subjects=2, size=16))

    with pytest.raises(ConfigError, match="cause must be 1 to 1, not 2"):
        phantom.oracle_concordance(cause=2)
