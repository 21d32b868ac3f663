"""A finished cross-validation with repeats, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.finalizing.toy import read_cohort, recipe
from tests.core.pages import without_figures

from survkit.data import Cohort
from survkit.training import cross_validate


@pytest.fixture(autouse=True)
def plain_pages() -> Iterator[None]:
    """No test of this folder draws figures."""
    with without_figures():
        yield


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return read_cohort(tmp_path_factory.mktemp("toy") / "data")


@pytest.fixture(scope="session")
def run(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two repeats of two folds."""
    folder = tmp_path_factory.mktemp("toy") / "cv"
    with without_figures():
        cross_validate(recipe(), cohort, folder, folds=2, repeats=2, replicates=0, progress=False)
    return folder
