"""Values that others published: pyradiomics' regression baselines and the IBSI digital phantom."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from tests.core.radiomics.pyradiomics_values import assert_equal_features

from survkit.radiomics import FEATURE_CLASSES, FEATURE_NAMES, RadiomicsSettings, roi_features

SHIFTED = ("firstorder_Energy", "firstorder_TotalEnergy", "firstorder_RootMeanSquared")
"""Features whose baselines add ``voxelArrayShift`` 2000 to the intensities."""


def baseline(folder: Path, case: str) -> dict[str, float]:
    """Return the features of one case with default settings."""
    found = {}
    for group in FEATURE_CLASSES:
        with (folder / f"baseline_{group}.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                name = row["featureName"].removeprefix("original_")
                if name in FEATURE_NAMES:
                    found[name] = float(row[case])
    return found


@pytest.mark.parametrize("case", ["brain1", "breast1", "lung1", "lung2"])
def test_the_cases_of_pyradiomics(case: str, shared_data: Path) -> None:
    """CT and MR volumes with anisotropic voxels; 142 to 24,644 voxels."""
    simpleitk = pytest.importorskip("SimpleITK")
    folder = shared_data / "pyradiomics-cases"
    expected = baseline(folder / "baseline", case)
    volume = simpleitk.ReadImage(str(folder / f"{case}_image.nrrd"))
    label = simpleitk.ReadImage(str(folder / f"{case}_label.nrrd"))
    image = torch.from_numpy(simpleitk.GetArrayFromImage(volume).astype(float))
    mask = torch.from_numpy(simpleitk.GetArrayFromImage(label) == 1)
    spacing = volume.GetSpacing()[::-1]

    ours = roi_features(image, mask, spacing)
    shifted = roi_features(image + 2000, mask, spacing)

    for name in SHIFTED:
        ours[FEATURE_NAMES.index(name)] = shifted[FEATURE_NAMES.index(name)]
    missing = [name for name in FEATURE_NAMES if name not in expected]
    theirs = torch.tensor([expected.get(name, torch.nan) for name in FEATURE_NAMES]).double()
    assert missing == []
    assert_equal_features(ours, theirs, without=missing)


IBSI = {
    "firstorder": {
        "Mean": "stat_mean", "Variance": "stat_var", "Skewness": "stat_skew",
        "Median": "stat_median", "Minimum": "stat_min", "10Percentile": "stat_p10",
        "90Percentile": "stat_p90", "Maximum": "stat_max", "InterquartileRange": "stat_iqr",
        "Range": "stat_range", "MeanAbsoluteDeviation": "stat_mad",
        "RobustMeanAbsoluteDeviation": "stat_rmad", "Energy": "stat_energy",
        "RootMeanSquared": "stat_rms", "Entropy": "ih_entropy", "Uniformity": "ih_uniformity",
    },
    "glcm": {
        "MaximumProbability": "cm_joint_max", "JointAverage": "cm_joint_avg",
        "SumSquares": "cm_joint_var", "JointEntropy": "cm_joint_entr",
        "DifferenceAverage": "cm_diff_avg", "DifferenceVariance": "cm_diff_var",
        "DifferenceEntropy": "cm_diff_entr", "SumAverage": "cm_sum_avg",
        "SumEntropy": "cm_sum_entr", "JointEnergy": "cm_energy", "Contrast": "cm_contrast",
        "Id": "cm_inv_diff", "Idn": "cm_inv_diff_norm", "Idm": "cm_inv_diff_mom",
        "Idmn": "cm_inv_diff_mom_norm", "InverseVariance": "cm_inv_var",
        "Correlation": "cm_corr", "Autocorrelation": "cm_auto_corr",
        "ClusterTendency": "cm_clust_tend", "ClusterShade": "cm_clust_shade",
        "ClusterProminence": "cm_clust_prom", "Imc1": "cm_info_corr1", "Imc2": "cm_info_corr2",
    },
    "glrlm": {
        "ShortRunEmphasis": "rlm_sre", "LongRunEmphasis": "rlm_lre",
        "LowGrayLevelRunEmphasis": "rlm_lgre", "HighGrayLevelRunEmphasis": "rlm_hgre",
        "ShortRunLowGrayLevelEmphasis": "rlm_srlge", "ShortRunHighGrayLevelEmphasis": "rlm_srhge",
        "LongRunLowGrayLevelEmphasis": "rlm_lrlge", "LongRunHighGrayLevelEmphasis": "rlm_lrhge",
        "GrayLevelNonUniformity": "rlm_glnu",
        "GrayLevelNonUniformityNormalized": "rlm_glnu_norm",
        "RunLengthNonUniformity": "rlm_rlnu", "RunLengthNonUniformityNormalized": "rlm_rlnu_norm",
        "RunPercentage": "rlm_r_perc", "GrayLevelVariance": "rlm_gl_var",
        "RunVariance": "rlm_rl_var", "RunEntropy": "rlm_rl_entr",
    },
    "glszm": {
        "SmallAreaEmphasis": "szm_sze", "LargeAreaEmphasis": "szm_lze",
        "LowGrayLevelZoneEmphasis": "szm_lgze", "HighGrayLevelZoneEmphasis": "szm_hgze",
        "SmallAreaLowGrayLevelEmphasis": "szm_szlge",
        "SmallAreaHighGrayLevelEmphasis": "szm_szhge",
        "LargeAreaLowGrayLevelEmphasis": "szm_lzlge",
        "LargeAreaHighGrayLevelEmphasis": "szm_lzhge",
        "GrayLevelNonUniformity": "szm_glnu",
        "GrayLevelNonUniformityNormalized": "szm_glnu_norm",
        "SizeZoneNonUniformity": "szm_zsnu", "SizeZoneNonUniformityNormalized": "szm_zsnu_norm",
        "ZonePercentage": "szm_z_perc", "GrayLevelVariance": "szm_gl_var",
        "ZoneVariance": "szm_zs_var", "ZoneEntropy": "szm_zs_entr",
    },
    "gldm": {
        "SmallDependenceEmphasis": "ngl_lde", "LargeDependenceEmphasis": "ngl_hde",
        "LowGrayLevelEmphasis": "ngl_lgce", "HighGrayLevelEmphasis": "ngl_hgce",
        "SmallDependenceLowGrayLevelEmphasis": "ngl_ldlge",
        "SmallDependenceHighGrayLevelEmphasis": "ngl_ldhge",
        "LargeDependenceLowGrayLevelEmphasis": "ngl_hdlge",
        "LargeDependenceHighGrayLevelEmphasis": "ngl_hdhge",
        "GrayLevelNonUniformity": "ngl_glnu", "DependenceNonUniformity": "ngl_dcnu",
        "DependenceNonUniformityNormalized": "ngl_dcnu_norm", "GrayLevelVariance": "ngl_gl_var",
        "DependenceVariance": "ngl_dc_var", "DependenceEntropy": "ngl_dc_entr",
    },
    "ngtdm": {
        "Coarseness": "ngt_coarseness", "Contrast": "ngt_contrast", "Busyness": "ngt_busyness",
        "Complexity": "ngt_complexity", "Strength": "ngt_strength",
    },
}  # fmt: skip
"""IBSI's tag of each feature that both define alike; the aggregation is appended to it."""

AGGREGATION = {"firstorder": "", "glcm": "_3D_avg", "glrlm": "_3D_avg"}


def digital_phantom(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Return image and mask of the 5 x 4 x 4 voxels."""
    nibabel = pytest.importorskip("nibabel")
    image, mask = (
        torch.from_numpy(nibabel.load(folder / "digital_phantom" / name).get_fdata())
        for name in ("image.nii.gz", "mask.nii.gz")
    )
    return image, mask > 0


def half_of_last_digit(printed: str) -> float:
    """Half a unit of the last of at most three digits: 0.005 of 1.23, 5 of 1490."""
    whole, _, decimals = printed.lstrip("-").partition(".")
    return 0.5 * 10.0 ** (-len(decimals) if decimals else max(0, len(whole) - 3))


@pytest.mark.parametrize("group", IBSI)
def test_the_digital_phantom_of_ibsi(group: str, shared_data: Path) -> None:
    """Consensus values of 90 features, to all digits that are printed."""
    folder = shared_data / "ibsi"
    with (folder / "reference" / "dig_phantom.csv").open(newline="") as file:
        expected = {
            row["tag"]: row["reference value"] for row in csv.DictReader(file, delimiter=";")
        }
    image, mask = digital_phantom(folder)

    ours = roi_features(image, mask, (2.0, 2.0, 2.0), RadiomicsSettings(bin_width=1.0))

    wrong = {}
    for name, tag in IBSI[group].items():
        printed = expected[tag + AGGREGATION.get(group, "_3D")]
        value = float(ours[FEATURE_NAMES.index(f"{group}_{name}")])
        if abs(value - float(printed)) > 1.0001 * half_of_last_digit(printed):
            wrong[name] = (value, printed)
    assert wrong == {}


def test_kurtosis_and_total_energy_differ_from_ibsi_in_definition(shared_data: Path) -> None:
    """IBSI's kurtosis is the excess over 3; it has no energy times volume."""
    image, mask = digital_phantom(shared_data / "ibsi")

    ours = roi_features(image, mask, (2.0, 2.0, 2.0), RadiomicsSettings(bin_width=1.0))

    assert float(ours[FEATURE_NAMES.index("firstorder_Kurtosis")]) - 3 == pytest.approx(
        -0.355, abs=5e-4
    )
    assert float(ours[FEATURE_NAMES.index("firstorder_TotalEnergy")]) == pytest.approx(8 * 567)
