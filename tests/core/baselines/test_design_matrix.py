"""The matrix that baselines see: closed forms, and nothing from subjects outside training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from survkit.baselines.design_matrix import fit_design
from survkit.data import Cohort
from survkit.errors import DataError
from survkit.recipe import InputConfig

MakeCohort = Callable[..., Cohort]
TABLE = [InputConfig(modality="clinical")]
BOTH = [*TABLE, InputConfig(modality="histology", components=3)]
TRAIN = np.arange(0, 80)


def test_columns_by_hand(make_cohort: MakeCohort) -> None:
    """The median of training for a missing age, a column that says so, a column per level."""
    cohort = make_cohort()
    design = fit_design(cohort, TABLE, TRAIN)

    found = pd.DataFrame(design.features(cohort, np.arange(len(cohort))), columns=design.names)

    table = pd.read_csv(cohort.source.replace("cohort.yaml", "patients.csv"))
    age = table["age"].astype(np.float32).astype(float)
    raw = pd.DataFrame(
        {
            "clinical: age": age.fillna(age[TRAIN].median()),
            "clinical: stage = I": (table["stage"] == "I").astype(float),
            "clinical: stage = II": (table["stage"] == "II").astype(float),
            "clinical: stage = III": (table["stage"] == "III").astype(float),
            "clinical: age is missing": age.isna().astype(float),
        }
    )
    expected = (raw - raw.loc[TRAIN].mean()) / raw.loc[TRAIN].std(ddof=0)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)


def test_a_level_that_training_never_saw_is_no_level(make_cohort: MakeCohort) -> None:
    """A test subject of stage IV has none of the known stages."""

    def bend(config: Any, table: pd.DataFrame, vectors: pd.DataFrame) -> None:
        table.loc[100, "stage"] = "IV"

    cohort = make_cohort(bend)
    design = fit_design(cohort, TABLE, TRAIN)
    raw = design.features(cohort, np.array([100])) * design.scale + design.center

    assert [name for name in design.names if "IV" in name] == []
    np.testing.assert_allclose(raw[0, 1:4], 0, atol=1e-12)


def test_components_keep_their_sizes_and_absent_subjects_are_at_the_mean(
    make_cohort: MakeCohort,
) -> None:
    """The first component has SD 1 among those who have the embedding, later ones no more."""
    cohort = make_cohort()
    design = fit_design(cohort, BOTH, TRAIN)
    features = design.features(cohort, TRAIN)
    places = [k for k, name in enumerate(design.names) if name[:-1].endswith("component ")]
    there = cohort.available("histology")[TRAIN]
    indicator = design.names.index("histology: component 1 is missing")

    spread = features[there][:, places].std(axis=0)

    assert spread[0] == pytest.approx(1, abs=1e-6)
    assert (np.diff(spread) < 0).all()
    np.testing.assert_array_equal(features[~there][:, places], 0)
    assert ((features[:, indicator] > 0) == ~there).all()
    assert sum("is missing" in name for name in design.names) == 2  # one for all components


@pytest.mark.parametrize("inputs", [TABLE, BOTH, [InputConfig(modality="histology")]])
def test_subjects_outside_training_change_nothing(
    make_cohort: MakeCohort, inputs: list[InputConfig]
) -> None:
    """With other values, levels, gaps and outcomes of the others the design is the same."""
    before = fit_design(make_cohort(), inputs, TRAIN)

    def bend(config: Any, table: pd.DataFrame, vectors: pd.DataFrame) -> None:
        others = table.index >= len(TRAIN)
        table.loc[others, "age"] = np.where(np.arange(others.sum()) % 2, 1e4, np.nan)
        table.loc[others, "stage"] = "V"
        table.loc[others, "days"] = table.loc[others, "days"].to_numpy()[::-1] * 3
        table.loc[others, "event"] = 1 - np.minimum(table.loc[others, "event"], 1)
        vectors.loc[vectors.index >= len(TRAIN), "e0":"e5"] *= -100

    changed = make_cohort(bend)
    after = fit_design(changed, inputs, TRAIN)

    assert after.names == before.names
    for name in ("median", "indicators", "kept", "center", "scale"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    np.testing.assert_array_equal(
        after.features(changed, TRAIN), before.features(make_cohort(), TRAIN)
    )


def test_constant_columns_are_left_out(make_cohort: MakeCohort) -> None:
    """What does not vary among training subjects has no weight; if nothing does, it is refused."""

    def same_age(config: Any, table: pd.DataFrame, vectors: pd.DataFrame) -> None:
        table.loc[TRAIN, "age"] = 61.3

    def same(config: Any, table: pd.DataFrame, vectors: pd.DataFrame) -> None:
        same_age(config, table, vectors)
        table.loc[TRAIN, "stage"] = "I"

    names = fit_design(make_cohort(same_age), TABLE, TRAIN).names
    assert [name for name in names if "stage" not in name] == []
    with pytest.raises(DataError, match=r"none of the 2 columns of clinical varies among the 80"):
        fit_design(make_cohort(same), TABLE, TRAIN)
