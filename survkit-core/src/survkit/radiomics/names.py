"""The 93 features and their names, as pyradiomics writes them (``class_Feature``)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_FIRST_ORDER = (
    "10Percentile 90Percentile Energy Entropy InterquartileRange Kurtosis Maximum Mean "
    "MeanAbsoluteDeviation Median Minimum Range RobustMeanAbsoluteDeviation RootMeanSquared "
    "Skewness TotalEnergy Uniformity Variance"
)
_GLCM = (
    "Autocorrelation ClusterProminence ClusterShade ClusterTendency Contrast Correlation "
    "DifferenceAverage DifferenceEntropy DifferenceVariance Id Idm Idmn Idn Imc1 Imc2 "
    "InverseVariance JointAverage JointEnergy JointEntropy MCC MaximumProbability SumAverage "
    "SumEntropy SumSquares"
)
_GLRLM = (
    "GrayLevelNonUniformity GrayLevelNonUniformityNormalized GrayLevelVariance "
    "HighGrayLevelRunEmphasis LongRunEmphasis LongRunHighGrayLevelEmphasis "
    "LongRunLowGrayLevelEmphasis LowGrayLevelRunEmphasis RunEntropy RunLengthNonUniformity "
    "RunLengthNonUniformityNormalized RunPercentage RunVariance ShortRunEmphasis "
    "ShortRunHighGrayLevelEmphasis ShortRunLowGrayLevelEmphasis"
)
_GLSZM = (
    "GrayLevelNonUniformity GrayLevelNonUniformityNormalized GrayLevelVariance "
    "HighGrayLevelZoneEmphasis LargeAreaEmphasis LargeAreaHighGrayLevelEmphasis "
    "LargeAreaLowGrayLevelEmphasis LowGrayLevelZoneEmphasis SizeZoneNonUniformity "
    "SizeZoneNonUniformityNormalized SmallAreaEmphasis SmallAreaHighGrayLevelEmphasis "
    "SmallAreaLowGrayLevelEmphasis ZoneEntropy ZonePercentage ZoneVariance"
)
_GLDM = (
    "DependenceEntropy DependenceNonUniformity DependenceNonUniformityNormalized "
    "DependenceVariance GrayLevelNonUniformity GrayLevelVariance HighGrayLevelEmphasis "
    "LargeDependenceEmphasis LargeDependenceHighGrayLevelEmphasis "
    "LargeDependenceLowGrayLevelEmphasis LowGrayLevelEmphasis SmallDependenceEmphasis "
    "SmallDependenceHighGrayLevelEmphasis SmallDependenceLowGrayLevelEmphasis"
)
_NGTDM = "Busyness Coarseness Complexity Contrast Strength"

FEATURE_CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "firstorder": tuple(_FIRST_ORDER.split()),
        "glcm": tuple(_GLCM.split()),
        "glrlm": tuple(_GLRLM.split()),
        "glszm": tuple(_GLSZM.split()),
        "gldm": tuple(_GLDM.split()),
        "ngtdm": tuple(_NGTDM.split()),
    }
)
"""Feature names of each class without the class's prefix, in the order of the columns."""

FEATURE_NAMES: tuple[str, ...] = tuple(
    f"{group}_{name}" for group, names in FEATURE_CLASSES.items() for name in names
)
"""Names of the 93 columns that :func:`patch_features` and :func:`roi_features` return."""
