"""Two small cohorts, an encoder with a frozen trunk, and a finished cross-validation of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from tests.core.pages import without_figures
from tests.core.parts import registry_with
from tests.hub_server.loopback import hub, server  # noqa: F401 - fixtures

from survkit.data import Cohort
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.training import cross_validate

SUBJECTS = 42

ENCODER = '''
    """An encoder of a frozen trunk that starts from published weights, and a trained adapter."""

    import hashlib
    import os

    import torch
    from torch import nn

    from survkit.errors import DataError
    from survkit.flow import Encoding
    from survkit.specs import EncodingSpec


    class Trunk(nn.Module):
        """Frozen features of a row, normalised and projected."""

        def __init__(self, input, *, dim: int = 3) -> None:
            super().__init__()
            self.trunk = nn.Linear(input.shape[0], 4).requires_grad_(False)
            self.adapter = nn.Linear(4, dim)
            self.norm = nn.BatchNorm1d(dim)
            self.encoding = EncodingSpec(dim=dim)

        def load_weights(self):
            if os.environ.get("NO_PUBLISHED_WEIGHTS"):
                raise DataError("the published weights are not at hand")
            with torch.no_grad():
                self.trunk.weight.fill_(0.5)

        def prepare(self, sample):
            return torch.tanh(self.trunk(sample.values / 50))

        def preparation_fingerprint(self):
            return hashlib.sha256(self.trunk.weight.detach().numpy().tobytes()).hexdigest()

        def forward(self, input, *, penalties=True):
            summary = self.norm(self.adapter(input.values))
            return Encoding(tokens=summary[:, None], summary=summary, present=input.present)
'''


def write_cohort(folder: Path, name: str, seed: int, prefix: str = "s") -> Path:
    """Write a cohort whose hazard grows with age."""
    random = np.random.default_rng(seed)
    age = random.normal(60, 8, SUBJECTS).round(3)
    duration = 300 * random.exponential(np.exp(-0.1 * (age - 60)))
    censoring = random.uniform(100, 900, SUBJECTS)
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(
        {
            "id": [f"{prefix}{k:02d}" for k in range(SUBJECTS)],
            "age": age,
            "grade": random.integers(1, 4, SUBJECTS).astype(float),
            "days": (np.minimum(duration, censoring) + 1).round(2),
            "event": (duration <= censoring).astype(int),
        }
    ).to_csv(folder / "patients.csv", index=False)
    content = {
        "name": name,
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {"clinical": {"kind": "table", "columns": ["age", "grade"]}},
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(content))
    return folder / "cohort.yaml"


def recipe(**changes: Any) -> Recipe:
    """Return the recipe of a frozen trunk with a Cox head."""
    content: dict[str, Any] = {
        "encoders": {"clinical": {"use": "trunk"}},
        "fusion": {"use": "concat"},
        "head": {"use": "cox"},
        "outcome": {"horizon": 300},
        "objective": ["cox"],
        "training": {
            "epochs": 3,
            "micro_batch": 64,
            "accelerator": "cpu",
            "optimizer": {"lr": 0.05},
        },
    }
    for path, value in changes.items():
        if path == "training":
            content["training"] |= value
        else:
            content[path] = value
    return Recipe.parse(content, source="test")


STILL: dict[str, Any] = {"epochs": 1, "optimizer": {"lr": 1e-30, "weight_decay": 0.0}}
"""A training that moves nothing."""


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with the core's parts and the encoder."""
    parts = {
        "trunk": ("encoder", "frozen_trunk:Trunk"),
    }
    modules = {"frozen_trunk": ENCODER}
    with registry_with(tmp_path_factory.mktemp("parts"), modules, parts) as found:
        yield found


@pytest.fixture(autouse=True)
def plain_pages() -> Iterator[None]:
    """No test of this folder draws figures."""
    with without_figures():
        yield


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """A folder with the cohorts ``old`` and ``new`` and a cross-validation ``run`` on the old."""
    folder = tmp_path_factory.mktemp("transfer")
    write_cohort(folder / "old", "old", 0)
    write_cohort(folder / "new", "new", 1, prefix="n")
    with without_figures():
        cross_validate(
            recipe(), Cohort.read(folder / "old/cohort.yaml"), folder / "run", folds=3,
            replicates=0, progress=False, registry=registry,
        )  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def old(home: Path) -> Cohort:
    """The cohort of the finished run."""
    return Cohort.read(home / "old/cohort.yaml")


@pytest.fixture(scope="session")
def new(home: Path) -> Cohort:
    """Another cohort, of other people."""
    return Cohort.read(home / "new/cohort.yaml")
