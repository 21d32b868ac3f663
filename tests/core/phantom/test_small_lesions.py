"""Cohorts whose lesions are small and whose hazard is chosen: the option and its refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from survkit.cli import main
from survkit.cli.phantom import parse_effects
from survkit.errors import ConfigError
from survkit.phantom import CauseEffects, Phantom, PhantomConfig, generate_phantom
from survkit.phantom.anatomy import lung_mask

RADII = (6.0, 14.0)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    """Sixty subjects with lesions of 12 to 28 mm."""
    config = PhantomConfig(subjects=60, size=64, modalities=("ct",), lesion_radii=RADII)
    return generate_phantom(config)


def test_volumes_fill_the_range(phantom: Phantom) -> None:
    radius = phantom.factors.radius

    assert RADII[0] <= radius.min() < 8.5
    assert 13.5 < radius.max() <= RADII[1]


def test_the_hazard_is_that_of_large_lesions(phantom: Phantom) -> None:
    """A lesion counts by its place between the smallest and the largest."""
    large = generate_phantom(PhantomConfig(subjects=60, size=64, modalities=("ct",)))

    np.testing.assert_allclose(phantom.log_hazard, large.log_hazard, atol=1e-12)
    np.testing.assert_allclose(phantom.outcome.duration, large.outcome.duration, rtol=1e-9)


def test_a_lesion_lies_in_a_lung_and_on_few_slices(phantom: Phantom) -> None:
    for subject in range(10):
        lesion = phantom.images(subject).lesion
        lungs = lung_mask(phantom.grid, phantom.places[subject].build)
        share = lesion.any(axis=(1, 2)).sum() / lungs.any(axis=(1, 2)).sum()

        assert (lesion & ~lungs).sum() == 0
        assert 0.03 < share < 0.16


@pytest.mark.parametrize("radii", [(14.0, 6.0), (0.5, 6.0), (20.0, 41.0), (float("nan"), 6.0)])
def test_impossible_radii_are_refused(radii: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="lesion_radii must be the smallest and a larger largest"):
        PhantomConfig(lesion_radii=radii)


def test_effects_by_name() -> None:
    """Those that are not named are none; without a name the standard ones stay."""
    assert parse_effects(["size=1.5", "texture=-0.5"]) == (CauseEffects(size=1.5, texture=-0.5),)
    assert parse_effects([]) is None


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["size"], "--effect must look like size=1.5, not 'size'"),
        (["size=1", "size=2"], "--effect names 'size' twice"),
        (
            ["colour=1"],
            "--effect names one of size, texture, uptake, age, stage, sex, not 'colour'",
        ),
    ],
)
def test_effects_that_are_none(pairs: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_effects(pairs)


def test_the_command_takes_both(tmp_path: Path) -> None:
    words = ["phantom", "--out", str(tmp_path / "p"), "--subjects", "3", "--size", "16"]
    words += ["--modality", "ct", "--lesion-radii", "6", "14", "--effect", "size=1.5"]

    assert main(words) == 0
    truth = pd.read_csv(tmp_path / "p" / "truth" / "truth.csv")
    assert truth["lesion_radius_mm"].between(6, 14).all()
    np.testing.assert_allclose(
        truth["log_hazard_cancer_death"], truth["log_hazard_cancer_death_ct"], atol=1e-12
    )
