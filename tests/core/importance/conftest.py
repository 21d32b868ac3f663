"""Cohorts of which it is known what decides, and runs of models on them."""

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

SUBJECTS = 120
WITHOUT = 20
"""So many of the last subjects have no patches."""

PARTS = '''
    """An encoder of patches that names its groups, and a fusion that looks at one modality."""

    import torch
    from torch import nn

    from survkit.flow import Encoding, Fused
    from survkit.specs import EncodingSpec

    SEEN = []


    class Patches(nn.Module):
        """Three patches of four features, of which it reads the first two. Eval inputs are kept."""

        encoding = EncodingSpec(dim=2, tokens=3)
        groups = {"size": (0, 1), "texture": (2, 3)}

        def __init__(self, input, *, blind: bool = False) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.full((2,), 0.5))
            self.blind = blind

        def feature_groups(self):
            return self.groups

        def prepare(self, sample):
            return sample.values.reshape(3, 4)

        def preparation_fingerprint(self):
            return "patches 1"

        def forward(self, input, *, penalties=True):
            if not self.training:
                SEEN.append(input.values.detach().clone())
            values = input.values.detach() if self.blind else input.values
            tokens = values[..., :2] * self.weight
            return Encoding(tokens=tokens, summary=tokens.mean(1), present=input.present)


    class Only(nn.Module):
        """The summary of one modality, zero where it is absent."""

        penalties = ()

        def __init__(self, encodings, *, modality: str) -> None:
            super().__init__()
            self.modality = modality
            self.dim = encodings[modality].dim

        def forward(self, encodings):
            own = encodings[self.modality]
            return Fused(torch.where(own.present[:, None], own.summary, 0.0))
'''


def recipe(encoders: Any, fusion: Any = "concat", **changes: Any) -> Recipe:
    """Return a linear Cox model."""
    training = {
        "epochs": 15,
        "micro_batch": 16,
        "accelerator": "cpu",
        "optimizer": {"lr": 0.05},
    }
    content = {
        "title": "linear",
        "encoders": encoders,
        "fusion": fusion,
        "head": {"use": "cox"},
        "outcome": {"horizon": 300},
        "objective": ["cox"],
        "training": training | changes.pop("training", {}),
    }
    return Recipe.parse(content | changes, source="test")


def write_cohort(folder: Path) -> Path:
    """Write a cohort in which crp decides about death, ldh about relapse, and nothing else about
    anything but the size of patches.
    """
    random = np.random.default_rng(5)
    names = [f"s{k:03d}" for k in range(SUBJECTS)]
    blood = random.normal(5, 2, (SUBJECTS, 3)).round(4)
    patches = random.normal(size=(SUBJECTS, 12)).round(4)
    size = patches.reshape(SUBJECTS, 3, 4)[:, :, 0].mean(axis=1) * 3**0.5
    death = 300 * random.exponential(np.exp(-0.8 * (blood[:, 0] - 5) - 0.5 * size))
    relapse = 300 * random.exponential(np.exp(-0.8 * (blood[:, 1] - 5)))
    censoring = random.uniform(50, 900, SUBJECTS)
    times = np.stack([censoring, death, relapse])
    ward = np.array(["north", "south", "east"])[random.integers(0, 3, SUBJECTS)]
    age = random.normal(60, 10, SUBJECTS).round(1).astype(object)
    age[::9] = ""
    pd.DataFrame(
        {
            "id": names,
            "days": (np.minimum(times[0], times[1]) + 1).round(2),
            "event": (times[1] < times[0]).astype(int),
            "first_days": (times.min(axis=0) + 1).round(2),
            "first": times.argmin(axis=0),
            **dict(zip(("crp", "ldh", "psa"), blood.T, strict=True)),
            "age": age,
            "ward": ward,
        }
    ).to_csv(folder / "patients.csv", index=False)
    frame = pd.DataFrame(patches, columns=[f"p{k}" for k in range(12)])
    frame.insert(0, "id", names)
    frame[:-WITHOUT].to_csv(folder / "patches.csv", index=False)
    count = random.integers(1, 4, SUBJECTS)
    tiles = pd.DataFrame(random.normal(size=(count.sum(), 3)).round(4), columns=["u", "v", "w"])
    tiles.insert(0, "id", np.repeat(names, count))
    tiles.to_csv(folder / "tiles.csv", index=False)
    content: dict[str, Any] = {
        "name": "toy",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {
            "blood": {"kind": "table", "columns": ["crp", "ldh", "psa"]},
            "clinical": {"kind": "table", "columns": ["age", "ward"], "categorical": ["ward"]},
            "patches": {"kind": "vector", "file": "patches.csv"},
            "tiles": {"kind": "vector", "file": "tiles.csv", "tokens": True},
        },
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(content))
    content["outcome"] |= {"duration": "first_days", "event": "first"}
    content["outcome"]["causes"] = {1: "death", 2: "relapse"}
    (folder / "competing.yaml").write_text(yaml.safe_dump(content))
    return folder / "cohort.yaml"


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with the core's parts and the two above."""
    parts = {
        "patches": ("encoder", "parts_of_patches:Patches"),
        "only": ("fusion", "parts_of_patches:Only"),
    }
    with registry_with(
        tmp_path_factory.mktemp("parts"), {"parts_of_patches": PARTS}, parts
    ) as found:
        yield found


TABLE = {"use": "tabular", "dim": None}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """A folder with the cohorts and runs on them."""
    folder = tmp_path_factory.mktemp("importance")
    cohort = Cohort.read(write_cohort(folder))
    competing = Cohort.read(folder / "competing.yaml")
    vector = {"use": "vector", "dim": None}
    runs: dict[str, tuple[Recipe, Cohort, int]] = {
        "linear": (recipe({"blood": TABLE}), cohort, 2),
        "only": (
            recipe({"blood": TABLE, "clinical": TABLE}, {"use": "only", "modality": "blood"}),
            cohort,
            1,
        ),
        "patches": (recipe({"blood": TABLE, "patches": "patches"}), cohort, 1),
        "blind": (recipe({"patches": {"use": "patches", "blind": True}}), cohort, 1),
        "vector": (
            recipe(
                {"blood": TABLE, "patches": vector, "tiles": vector},
                training={"members": 2, "epochs": 4},
            ),
            cohort,
            1,
        ),
        "competing": (recipe({"blood": TABLE}), competing, 1),
        "deephit": (
            recipe(
                {"blood": TABLE},
                head={"use": "deephit"},
                objective=["deephit-likelihood"],
                outcome={"horizon": 300, "grid": {"kind": "uniform", "intervals": 6}},
            ),
            competing,
            1,
        ),
    }
    for name, (plan, people, repeats) in runs.items():
        cross_validate(
            plan,
            people,
            folder / name,
            folds=2,
            repeats=repeats,
            replicates=0,
            progress=False,
            registry=registry,
        )
    baseline = Recipe.parse(
        {"baseline": "ridge-cox", "inputs": ["blood"], "outcome": {"horizon": 300}}, source="test"
    )
    cross_validate(
        baseline, cohort, folder / "baseline", folds=2, replicates=0, progress=False,
        registry=registry,
    )  # fmt: skip
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy of that folder, to be written into."""
    return Path(shutil.copytree(made, tmp_path / "place"))
