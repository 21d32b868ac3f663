"""Determinism, sites, missing modalities, and refusals."""

from dataclasses import replace

import numpy as np
import pytest

from survkit.errors import ConfigError
from survkit.phantom import CauseEffects, Phantom, PhantomConfig, WeibullBaseline, generate_phantom

ALL = ("ct", "pet", "cxr", "clinical")
CONFIG = PhantomConfig(subjects=12, size=16, causes=2, modalities=ALL)


def assert_same_subject(left: Phantom, right: Phantom, subject: int) -> None:
    assert left.outcome.duration[subject] == right.outcome.duration[subject]
    assert left.outcome.event[subject] == right.outcome.event[subject]
    assert left.clinical.iloc[subject].equals(right.clinical.iloc[subject])
    one, other = left.images(subject), right.images(subject)
    for name in ("ct", "pet", "cxr", "lesion"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_subject_is_the_same_in_cohorts_of_every_size() -> None:
    """Adding subjects changes nobody, and images do not depend on the order they are asked in."""
    small, large = generate_phantom(CONFIG), generate_phantom(replace(CONFIG, subjects=40))

    for subject in (11, 0, 5):
        assert_same_subject(small, large, subject)


def test_the_seed_decides() -> None:
    """Another seed is another cohort."""
    other = generate_phantom(replace(CONFIG, seed=1))

    assert not np.allclose(generate_phantom(CONFIG).outcome.duration, other.outcome.duration)


def test_image_size_and_modalities_leave_the_truth_alone() -> None:
    """Larger or other images show the same subjects."""
    left = generate_phantom(CONFIG)
    right = generate_phantom(replace(CONFIG, size=32, modalities=("pet",)))

    np.testing.assert_array_equal(left.log_hazard, right.log_hazard)
    np.testing.assert_array_equal(left.outcome.duration, right.outcome.duration)


def test_sites_shift_intensities_but_not_the_truth() -> None:
    """Scanner shift moves the lung's HU by site, and neither outcome, lesion nor site."""
    still = generate_phantom(replace(CONFIG, subjects=30, site_shift=0.0))
    shifted = generate_phantom(replace(CONFIG, subjects=30, site_shift=3.0))

    np.testing.assert_array_equal(still.outcome.duration, shifted.outcome.duration)
    np.testing.assert_array_equal(still.site, shifted.site)
    assert set(still.site) == {0, 1, 2}
    offsets = np.zeros(30)
    for subject in range(30):
        one, other = still.images(subject), shifted.images(subject)
        np.testing.assert_array_equal(one.lesion, other.lesion)
        assert one.ct is not None
        assert other.ct is not None
        offsets[subject] = np.median(other.ct[one.ct < -700]) - np.median(one.ct[one.ct < -700])
    within = max(offsets[still.site == site].std() for site in range(3))
    between = np.std([offsets[still.site == site].mean() for site in range(3)])
    assert between > 3 * within


def test_missing_rates_are_reached() -> None:
    """The share of subjects without a modality is the one asked for, independent between them."""
    rates = {"pet": 0.3, "ct": 0.1}
    phantom = generate_phantom(replace(CONFIG, subjects=2000, missing=rates))
    lacks = {name: ~present for name, present in phantom.present.items()}

    assert lacks["pet"].mean() == pytest.approx(0.3, abs=0.03)
    assert lacks["ct"].mean() == pytest.approx(0.1, abs=0.02)
    assert (lacks["ct"] & lacks["pet"]).mean() == pytest.approx(0.03, abs=0.012)
    assert not lacks["clinical"].any()
    absent = int(np.flatnonzero(lacks["pet"])[0])
    assert phantom.images(absent).pet is None


def test_clinical_columns_are_plausible() -> None:
    """Ages and categories are in range, and the biomarker is missing as often as asked."""
    clinical = generate_phantom(replace(CONFIG, subjects=1000, missing_biomarker=0.2)).clinical

    assert clinical["age"].between(40, 90).all()
    assert set(clinical["sex"]) == {"female", "male"}
    assert set(clinical["stage"]) == {"I", "II", "III", "IV"}
    assert clinical["biomarker"].isna().mean() == pytest.approx(0.2, abs=0.04)
    assert (clinical["biomarker"].dropna() > 0).all()


BAD = [
    ({"subjects": 0}, "subjects must be a whole number from 1"),
    ({"subjects": 2.5}, "subjects must be a whole number"),
    ({"size": 8}, "size must be a whole number from 16 to 128, not 8"),
    ({"size": 256}, "size must be a whole number from 16 to 128, not 256"),
    ({"seed": -1}, "seed must be a whole number from 0"),
    ({"causes": 3}, "causes must be a whole number from 1 to 2, not 3"),
    ({"sites": 0}, "sites must be a whole number"),
    ({"censored": 1.0}, "censored must be a share between 0 and 1, not 1.0"),
    ({"censored": float("nan")}, "censored must be a share"),
    ({"follow_up": 0.0}, "follow_up must be a positive number, not 0.0"),
    ({"site_shift": -1.0}, "site_shift must be 0 or a positive number, not -1.0"),
    ({"missing_biomarker": 1.5}, "missing_biomarker must be a share from 0 to below 1"),
    ({"modalities": ("ct", "mri")}, "modalities must be different ones of ct, pet, cxr, clinical"),
    ({"modalities": ("ct", "ct")}, "modalities must be different ones"),
    ({"modalities": ()}, "modalities must be different ones"),
    ({"missing": {"pet": 1.2}}, r"missing\['pet'\] must be a share from 0 to below 1, not 1.2"),
    ({"missing": {"clinical": 0.1}}, "missing rates can be given for ct, pet, not for 'clinical'"),
    ({"missing": {"cxr": 0.1}}, "not for 'cxr'"),
    ({"modalities": ("ct",), "missing": {"ct": 0.1}}, "every modality has a missing rate"),
    ({"effects": (CauseEffects(), CauseEffects())}, "effects must be given for each of 1 causes"),
    ({"causes": 2, "baseline": WeibullBaseline(scales=(1.0,))}, "needs a scale for each of 2"),
]


@pytest.mark.parametrize(("settings", "message"), BAD)
def test_bad_settings_are_refused(settings: dict[str, object], message: str) -> None:
    """Every wrong setting is named, with what came and what would do."""
    with pytest.raises(ConfigError, match=message):
        PhantomConfig(**settings)  # type: ignore[arg-type]
