"""Groups read from the names of radiomic features."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from survkit_radvit.groups.feature_names import CLASSES, Grouping, feature_groups

NAMES = (
    "original_glcm_Contrast",
    "wavelet-HHL_glcm_Contrast",
    "log-sigma-3-0-mm-3D_firstorder_10Percentile",
    "glcm_Id",
    "shape2D_Sphericity",
    "age_years",
    "glcm",
)


@pytest.mark.parametrize(
    ("grouping", "expected"),
    [
        (
            "class",
            {"glcm": (0, 1, 3), "firstorder": (2,), "shape2D": (4,), "other": (5, 6)},
        ),
        (
            "filter",
            {
                "original": (0,),
                "wavelet-HHL": (1,),
                "log-sigma-3-0-mm-3D": (2,),
                "other": (3, 4, 5, 6),
            },
        ),
        ("none", {"radiomics": (0, 1, 2, 3, 4, 5, 6)}),
    ],
)
def test_groups_by_name(grouping: Grouping, expected: dict[str, tuple[int, ...]]) -> None:
    """The class stands before the feature, the filter before the class."""
    groups = feature_groups(NAMES, grouping)

    assert groups == expected
    assert list(groups) == list(expected)


@pytest.mark.parametrize("file", ["radiomics_basic.csv", "radiomics_highdim.csv"])
def test_tables_of_pyradiomics_have_no_others(shared_data: Path, file: str) -> None:
    """Names with and without the filter; every column of LUNG1's tables falls into a class."""
    with (shared_data / "lung1" / file).open(encoding="utf-8") as stream:
        names = next(csv.reader(stream))[1:]

    groups = feature_groups(names, "class")

    assert set(groups) <= set(CLASSES)
    assert {"firstorder", "glcm", "shape"} <= set(groups)
    assert sorted(place for group in groups.values() for place in group) == list(range(len(names)))
