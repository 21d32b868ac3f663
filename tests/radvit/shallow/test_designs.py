"""Generated studies are what their designs say."""

from __future__ import annotations

import pytest
import torch

from survkit.errors import ConfigError, DataError
from survkit.metrics import Estimate, harrell_concordance
from survkit_radvit.shallow import fixed_region, random_places
from survkit_radvit.shallow.event_times import Follow
from survkit_radvit.shallow.fixed_region import REGION, FixedRegion
from survkit_radvit.shallow.patterns import orthonormal_patterns
from survkit_radvit.shallow.random_places import RandomPlaces
from survkit_radvit.shallow.reference import ORACLE, REFERENCE

FOLLOW = Follow()
DESIGNS: dict[str, type[RandomPlaces] | type[FixedRegion]] = {"A": RandomPlaces, "B": FixedRegion}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_patterns_are_orthonormal() -> None:
    """Their Gram matrix is the identity; there cannot be more than dimensions."""
    patterns = orthonormal_patterns(20, 64, generator())

    torch.testing.assert_close(
        patterns @ patterns.T, torch.eye(20, dtype=torch.float64), atol=1e-13, rtol=0
    )
    with pytest.raises(
        ConfigError, match="65 orthonormal patterns need 65 or more dimensions, not 64"
    ):
        orthonormal_patterns(65, 64, generator())


def test_patterns_point_anywhere() -> None:
    """Over many draws the first pattern has mean 0, as a direction without preference."""
    first = torch.stack([orthonormal_patterns(2, 3, generator(s))[0] for s in range(2000)])

    assert float(first.mean(dim=0).abs().max()) < 4 / (3 * 2000) ** 0.5


def test_the_risk_of_design_a_counts_bad_tokens() -> None:
    """Without noise tokens are patterns: six relevant ones, k of them bad, log hazard 2 (2k-6)/6;
    every k and every place is as likely as any other.
    """
    study = RandomPlaces(noise=0.0, follow=FOLLOW, sizes=(3000, 2, 2)).draw(generator())
    patterns = orthonormal_patterns(20, 64, generator())
    index = (study.train.tokens.double() @ patterns.T).argmax(dim=-1)

    assert torch.allclose(study.train.tokens.double(), patterns[index], atol=1e-6)
    assert bool((study.train.relevant == (index < 2)).all())
    assert bool((study.train.relevant.sum(dim=1) == 6).all())
    bad = (index == 0).sum(dim=1)
    torch.testing.assert_close(study.train.log_hazard, 2 * (2 * bad.double() - 6) / 6)
    shares = bad.bincount(minlength=7) / 3000
    assert float((shares - 1 / 7).abs().max()) < 4 * (1 / 7 * 6 / 7 / 3000) ** 0.5
    places = study.train.relevant.double().mean(dim=0)
    assert float((places - 1 / 6).abs().max()) < 4 * (1 / 6 * 5 / 6 / 3000) ** 0.5
    others = index[index >= 2].bincount(minlength=20)[2:] / (30 * 3000)
    assert float((others - 1 / 18).abs().max()) < 0.005


def test_the_region_of_design_b_shows_the_severity() -> None:
    """Without noise the second pattern's part in the region's tokens is half the log hazard, which
    is standard normal; nothing else is relevant.
    """
    study = FixedRegion(noise=0.0, follow=FOLLOW, sizes=(3000, 2, 2)).draw(generator())
    patterns = orthonormal_patterns(20, 64, generator())
    parts = study.train.tokens.double() @ patterns[:2].T

    region = torch.zeros(36, dtype=torch.bool)
    region[list(REGION)] = True
    assert bool((study.train.relevant == region).all())
    severity = study.train.log_hazard[:, None].expand(-1, 4)
    torch.testing.assert_close(parts[:, region, 1], severity / 2, atol=1e-6, rtol=0)
    torch.testing.assert_close(parts[:, region, 0], torch.ones(3000, 4).double(), atol=1e-6, rtol=0)
    assert float(parts[:, ~region].abs().max()) < 1e-6
    assert float(severity.mean()) == pytest.approx(0, abs=4 / 3000**0.5)
    assert float(severity.std()) == pytest.approx(1, abs=4 / 6000**0.5)


@pytest.mark.parametrize("name", DESIGNS)
def test_noise_has_the_sd_asked_for(name: str) -> None:
    """The same seed with and without noise differs by the noise alone."""
    clean, noisy = (
        DESIGNS[name](noise=noise, follow=FOLLOW, sizes=(500, 2, 2)).draw(generator()).train
        for noise in (0.0, 0.3)
    )

    added = noisy.tokens - clean.tokens
    assert float(added.std()) == pytest.approx(0.3, rel=0.01)
    assert torch.equal(noisy.log_hazard, clean.log_hazard)


@pytest.mark.parametrize("name", DESIGNS)
def test_the_oracle_lies_where_it_should(name: str) -> None:
    """Concordance of the true log hazard, 6,000 subjects: inside the range of three studies of
    600.
    """
    study = DESIGNS[name](noise=0.15, follow=FOLLOW, sizes=(2, 2, 6000)).draw(generator())

    found = harrell_concordance(study.test.log_hazard, study.test.target)

    low, high = REFERENCE[name, 0.15][ORACLE]
    assert isinstance(found, Estimate)
    assert low <= found.value <= high


@pytest.mark.parametrize("name", DESIGNS)
def test_the_same_seed_draws_the_same_study(name: str) -> None:
    """Another seed another one, and the parts are different subjects."""
    draw = DESIGNS[name](noise=0.15, follow=FOLLOW, sizes=(20, 20, 20)).draw
    one, two, other = draw(generator()), draw(generator()), draw(generator(1))

    assert torch.equal(one.test.tokens, two.test.tokens)
    assert torch.equal(one.test.duration, two.test.duration)
    assert not torch.equal(one.test.tokens, other.test.tokens)
    assert not torch.equal(one.test.tokens, one.train.tokens)


@pytest.mark.parametrize(("module", "sizes"), [(random_places, 1500), (fixed_region, 1200)])
def test_sizes_are_those_of_the_design(module: type, sizes: int) -> None:
    assert sum(module.SIZES) == sizes  # type: ignore[attr-defined]


def test_a_study_without_events_is_refused() -> None:
    """Nothing could be fitted or measured; the sentence says what to change."""
    study = FixedRegion(noise=0.1, follow=Follow(censored=0.999), sizes=(4, 4, 4)).draw(generator())

    with pytest.raises(DataError, match=r"the train subjects have 0 of 4 events .* give more subj"):
        study.check()
