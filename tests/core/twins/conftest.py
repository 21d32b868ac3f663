"""One radiograph read by two encoders, and the same said the long way: a cohort file that names it
twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from tests.core.parts import registry_with

from survkit.data import Cohort
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.training import cross_validate

SUBJECTS = 24
WITHOUT_IMAGE = (3, 11, 12)

ENCODERS = '''
    """Two encoders of images: one of all pixels, one that prepares what is inside the mask."""

    import torch
    from torch import nn

    from survkit.flow import Encoding
    from survkit.specs import EncodingSpec


    class Pixels(nn.Module):
        """A linear layer on the pixels; its penalty is their mean square."""

        encoding = EncodingSpec(dim=3, penalties=("energy",))

        def __init__(self, input) -> None:
            super().__init__()
            self.linear = nn.Linear(256, 3)

        def forward(self, input, *, penalties=True):
            summary = self.linear(input.values.flatten(1))
            given = {"energy": summary.square().mean(1)} if penalties else {}
            return Encoding(
                tokens=summary[:, None], summary=summary, present=input.present, penalties=given
            )


    class Inside(nn.Module):
        """Mean intensity inside the region and of the whole image."""

        encoding = EncodingSpec(dim=2)

        def __init__(self, input) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(2))

        def prepare(self, sample):
            mask = torch.ones(16, 16, dtype=torch.bool) if sample.mask is None else sample.mask
            return torch.stack([sample.values[0][mask].mean(), sample.values.mean()])

        def preparation_fingerprint(self):
            return "inside 1"

        def forward(self, input, *, penalties=True):
            summary = input.values * self.scale
            return Encoding(tokens=summary[:, None], summary=summary, present=input.present)
'''


def write_cohort(folder: Path, *, twice: bool = False) -> Path:
    """Write radiographs with a bright square of which the mask knows, and the subjects' age.

    Args:
        folder: Made.
        twice: Name the radiograph a second time, as ``inside``.
    """
    folder.mkdir()
    random = np.random.default_rng(3)
    names = [f"s{k:02d}" for k in range(SUBJECTS)]
    bright = random.uniform(100, 220, SUBJECTS)
    for name, level in zip(names, bright, strict=True):
        row, column = random.integers(4, 9, 2)
        picture, mask = random.uniform(0, 60, (16, 16)), np.zeros((16, 16), dtype=np.uint8)
        picture[row : row + 4, column : column + 4] = level
        mask[row : row + 4, column : column + 4] = 255
        Image.fromarray(picture.astype(np.uint8)).save(folder / f"{name}.png")
        Image.fromarray(mask).save(folder / f"{name}-mask.png")
    duration = 300 * random.exponential(np.exp(-(bright - 160) / 30))
    there = [k not in WITHOUT_IMAGE for k in range(SUBJECTS)]
    pd.DataFrame(
        {
            "id": names,
            "days": (np.minimum(duration, 800) + 1).round(2),
            "event": (duration < 800).astype(int),
            "age": random.normal(60, 9, SUBJECTS).round(1),
            "picture": [f"{n}.png" if has else "" for n, has in zip(names, there, strict=True)],
            "mask": [f"{n}-mask.png" if has else "" for n, has in zip(names, there, strict=True)],
        }
    ).to_csv(folder / "patients.csv", index=False)
    xray = {"kind": "image", "path": "picture", "mask": "mask", "window": [0, 255]}
    content = {
        "name": "pictures",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {
            "xray": xray,
            "clinical": {"kind": "table", "columns": ["age"]},
            **({"inside": xray | {"window": [0, 255]}} if twice else {}),
        },
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return folder / "cohort.yaml"


def recipe_data(**changes: Any) -> dict[str, Any]:
    """Return a Cox model of the radiograph, read twice, and of the age."""
    return {
        "encoders": {
            "xray": {"use": "pixels"},
            "inside": {"use": "inside", "modality": "xray"},
            "clinical": {"use": "tabular", "dim": None},
        },
        "head": "cox",
        "outcome": {"horizon": 300},
        "objective": ["cox", {"penalty": "xray.energy", "weight": 0.1}],
        "training": {"epochs": 3, "micro_batch": 5, "validation": 0, "accelerator": "cpu"},
    } | changes


def recipe(*, twice: bool = False) -> Recipe:
    """Return that recipe, or the same for the cohort that names the radiograph twice."""
    data = recipe_data()
    if twice:
        del data["encoders"]["inside"]["modality"]
    return Recipe.parse(data, source="test")


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with the core's parts and the two encoders."""
    parts = {
        "pixels": ("encoder", "two_encoders_of_images:Pixels"),
        "inside": ("encoder", "two_encoders_of_images:Inside"),
    }
    with registry_with(
        tmp_path_factory.mktemp("parts"), {"two_encoders_of_images": ENCODERS}, parts
    ) as found:
        yield found


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """A folder with both cohorts and a cross-validation of each, in the same folds."""
    folder = tmp_path_factory.mktemp("twins")
    for name in ("once", "twice"):
        cohort = Cohort.read(write_cohort(folder / name, twice=name == "twice"))
        cross_validate(
            recipe(twice=name == "twice"),
            cohort,
            folder / name / "cv",
            folds=2,
            replicates=0,
            progress=False,
            registry=registry,
        )
    return folder
