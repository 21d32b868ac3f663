"""Cohorts: the table, its images, its checks, its splits and its cache."""

from __future__ import annotations

from survkit.data.cache import PreparationCache, default_cache_folder
from survkit.data.check import check_cohort
from survkit.data.cohort import Cohort
from survkit.data.load import fill_cache, read_modality
from survkit.data.make_splits import make_splits
from survkit.data.problem import Problem
from survkit.data.splits import Fold, FoldRows, Splits
from survkit.data.store import SubjectStore, store_for

__all__ = [
    "Cohort",
    "Fold",
    "FoldRows",
    "PreparationCache",
    "Problem",
    "Splits",
    "SubjectStore",
    "check_cohort",
    "default_cache_folder",
    "fill_cache",
    "make_splits",
    "read_modality",
    "store_for",
]
