"""A cohort of two tables of which one decides everything, and runs of models on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from tests.core.parts import registry_with

from survkit.data import Cohort
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.training import cross_validate

SUBJECTS = 60
ALONE = 6
"""So many of the last subjects have no noise table, so the blood is all they have."""

FUSION = '''
    """A fusion that looks at one modality alone, and may refuse a batch without it."""

    import torch
    from torch import nn

    from survkit.errors import DataError
    from survkit.flow import Fused


    class Only(nn.Module):
        """The summary of one modality, zero where it is absent."""

        penalties = ()

        def __init__(self, encodings, *, modality: str, refuses: bool = False) -> None:
            super().__init__()
            self.modality, self.refuses = modality, refuses
            self.dim = encodings[modality].dim

        def forward(self, encodings):
            own = encodings[self.modality]
            if self.refuses and not bool(own.present.any()):
                raise DataError(f"this fusion needs {self.modality}")
            return Fused(torch.where(own.present[:, None], own.summary, 0.0))
'''

ENCODER = '''
    """An encoder that prepares: it looks inside the mask."""

    import torch
    from torch import nn

    from survkit.flow import Encoding
    from survkit.specs import EncodingSpec


    class InsideMask(nn.Module):
        """Mean intensity inside the region and of the whole image."""

        encoding = EncodingSpec(dim=2)

        def __init__(self, input) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(2))

        def prepare(self, sample):
            return torch.stack([sample.values[0][sample.mask].mean(), sample.values.mean()])

        def preparation_fingerprint(self):
            return "inside mask 1"

        def forward(self, input, *, penalties=True):
            summary = input.values * self.scale
            return Encoding(tokens=summary[:, None], summary=summary, present=input.present)
'''


def recipe(fusion: Any, *modalities: str, members: int = 1) -> Recipe:
    """Return a linear Cox model of some tables."""
    content = {
        "title": "linear",
        "encoders": {name: {"use": "tabular", "dim": None} for name in modalities},
        "fusion": fusion,
        "head": {"use": "cox"},
        "outcome": {"horizon": 300},
        "objective": ["cox"],
        "training": {
            "epochs": 12,
            "micro_batch": 16,
            "members": members,
            "accelerator": "cpu",
            "optimizer": {"lr": 0.05},
        },
    }
    return Recipe.parse(content, source="test")


def write_cohort(folder: Path) -> Path:
    """Write a cohort whose hazard is decided by three blood values."""
    random = np.random.default_rng(0)
    names = [f"s{k:02d}" for k in range(SUBJECTS)]
    blood = random.lognormal(1, 0.4, (SUBJECTS, 3)).round(4)
    risk = (np.log(blood) - 1).sum(axis=1)
    duration = 300 * random.exponential(np.exp(-1.6 * risk))
    censoring = random.uniform(50, 900, SUBJECTS)
    pd.DataFrame(
        {
            "id": names,
            "days": (np.minimum(duration, censoring) + 1).round(2),
            "event": (duration <= censoring).astype(int),
            "crp": blood[:, 0],
            "ldh": blood[:, 1],
            "psa": blood[:, 2],
        }
    ).to_csv(folder / "patients.csv", index=False)
    pd.DataFrame(
        {"id": names, "a": random.normal(size=SUBJECTS), "b": random.normal(size=SUBJECTS)}
    )[:-ALONE].to_csv(folder / "noise.csv", index=False)
    content = {
        "name": "toy",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {
            "blood": {"kind": "table", "columns": ["crp", "ldh", "psa"]},
            "noise": {"kind": "table", "file": "noise.csv"},
        },
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(content))
    return folder / "cohort.yaml"


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with the core's parts and the fusion that looks at one modality."""
    parts = {
        "mask": ("encoder", "inside_the_mask:InsideMask"),
        "only": ("fusion", "only_one_modality:Only"),
    }
    with registry_with(
        tmp_path_factory.mktemp("parts"),
        {"only_one_modality": FUSION, "inside_the_mask": ENCODER},
        parts,
    ) as found:
        yield found


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """A folder with the cohort and three runs of it."""
    folder = tmp_path_factory.mktemp("stress")
    cohort = Cohort.read(write_cohort(folder))
    only = {"use": "only", "modality": "blood"}
    runs = {
        "only": (recipe(only, "blood", "noise"), 2),
        "refuses": (recipe({**only, "refuses": True}, "blood", "noise", members=2), 1),
        "single": (recipe({"use": "concat"}, "blood"), 1),
    }
    for name, (plan, repeats) in runs.items():
        cross_validate(
            plan,
            cohort,
            folder / name,
            folds=2,
            repeats=repeats,
            replicates=0,
            progress=False,
            registry=registry,
        )
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy of that folder, to be written into."""
    return Path(shutil.copytree(made, tmp_path / "place"))
