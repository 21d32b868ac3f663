"""Is one model better than another? Paired tests on predictions of the same subjects."""

from __future__ import annotations

from survkit.comparison.bootstrap_difference import bootstrap_difference
from survkit.comparison.compare import compare
from survkit.comparison.comparison import Comparison, MetricComparison, PairComparison
from survkit.comparison.corrected_resampled import CorrectedTest, corrected_resampled_t
from survkit.comparison.holm import holm
from survkit.comparison.non_inferiority import NonInferiority, non_inferiority
from survkit.comparison.permutation import (
    PermutationTest,
    cluster_shares,
    sign_flip_test,
    swap_shares,
)
from survkit.comparison.wilcoxon import WilcoxonTest, wilcoxon_signed_rank

__all__ = [
    "Comparison",
    "CorrectedTest",
    "MetricComparison",
    "NonInferiority",
    "PairComparison",
    "PermutationTest",
    "WilcoxonTest",
    "bootstrap_difference",
    "cluster_shares",
    "compare",
    "corrected_resampled_t",
    "holm",
    "non_inferiority",
    "sign_flip_test",
    "swap_shares",
    "wilcoxon_signed_rank",
]
