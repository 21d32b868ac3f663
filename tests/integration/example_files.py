"""The files under examples/, by what belongs together, and the ridge Cox model beside them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COHORTS = {
    "hancock/cohort.yaml": "hancock",
    "hancock/cohort-competing.yaml": "hancock",
    "lung1/cohort.yaml": "lung1",
    "metabric/cohort.yaml": "tabular",
    "robsurv/petct-lung/cohort-os.yaml": "petct-lung",
    "robsurv/petct-lung/cohort-pfs.yaml": "petct-lung",
}
RECIPES = {
    "hancock/clinical.yaml": "hancock/cohort.yaml",
    "hancock/blood.yaml": "hancock/cohort.yaml",
    "hancock/clinical-blood.yaml": "hancock/cohort.yaml",
    "hancock/histology.yaml": "hancock/cohort.yaml",
    "hancock/recipe.yaml": "hancock/cohort.yaml",
    "hancock/competing.yaml": "hancock/cohort-competing.yaml",
    "lung1/recipe.yaml": "lung1/cohort.yaml",
    "metabric/recipe.yaml": "metabric/cohort.yaml",
    "robsurv/petct-lung/coxph.yaml": "robsurv/petct-lung/cohort-pfs.yaml",
    "robsurv/petct-lung/deepsurv.yaml": "robsurv/petct-lung/cohort-pfs.yaml",
}
BASELINES = {
    "hancock/coxnet.yaml": "hancock/cohort.yaml",
    "hancock/forest.yaml": "hancock/cohort.yaml",
}


@pytest.fixture(scope="module")
def ridge() -> ModuleType:
    """The example ``compare_with_ridge.py`` as a module."""
    pytest.importorskip("sksurv")
    spec = importlib.util.spec_from_file_location(
        "compare_with_ridge", EXAMPLES / "compare_with_ridge.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module
