"""A cohort of small pictures with a bright spot, and encoders that say where they looked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from PIL import Image

from survkit.recipe import Recipe

SHAPE = (18, 23)
"""Pixels; no multiple of the grid, so that cells end within pixels."""
GRID = (4, 5)
SUBJECTS = 26

PARTS = '''
    """Encoders of pictures whose tokens are the mean intensities of cells."""

    import torch
    from torch import nn

    from survkit.flow import Encoding
    from survkit.specs import EncodingSpec

    GRID = (4, 5)


    class Looker(nn.Module):
        """Looks where its score is high. Its other maps depend on no weight: one on the picture
        alone, one on nothing.
        """

        def __init__(self, input, *, dim: int = 4) -> None:
            super().__init__()
            self.project = nn.Linear(1, dim)
            self.inner = nn.Linear(3, 8)
            self.score = nn.Linear(8, 1)
            self.encoding = EncodingSpec(dim=dim, tokens=20, grid=GRID)
            lines = [torch.linspace(-1, 1, length) for length in GRID]
            self.register_buffer("place", torch.cartesian_prod(*lines))

        def cells(self, values):
            return nn.functional.adaptive_avg_pool2d(values.mean(1, keepdim=True), GRID).flatten(1)

        def weight(self, values):
            cells = self.cells(values)[..., None]
            place = self.place.expand(len(cells), -1, -1)
            inner = self.inner(torch.cat([cells, place], 2)).tanh()
            return (4 * self.score(inner)[..., 0]).softmax(1)

        def forward(self, input, *, penalties=True):
            tokens = self.project(self.cells(input.values)[..., None])
            summary = (self.weight(input.values)[..., None] * tokens).sum(1)
            return Encoding(
                tokens=tokens, summary=summary, present=input.present, grid=GRID
            )

        def attention_maps(self, values):
            cells = self.cells(values)
            bright = cells - cells.amin(1, keepdim=True) + 0.01
            found = {
                "learnt": self.weight(values),
                "bright": bright / bright.sum(1, keepdim=True),
                "even": torch.full_like(cells, 1 / 20),
            }
            return {name: each.unflatten(1, GRID) for name, each in found.items()}


    class Careful(Looker):
        """The same of a picture that it prepares itself."""

        def prepare(self, sample):
            return sample.values / 128 - 1

        def preparation_fingerprint(self):
            return "halved"

        def attention_maps(self, values):
            return {"learnt": super().attention_maps(values)["learnt"]}
'''


def recipe(*, members: int = 1) -> Recipe:
    """Return a Cox model of an X-ray, a photograph that is prepared, and the age."""
    content = {
        "title": "pictures",
        "encoders": {
            "xray": {"use": "looker"},
            "photo": {"use": "careful"},
            "clinical": {"use": "tabular", "dim": 4},
        },
        "fusion": "mean",
        "head": {"use": "cox"},
        "outcome": {"horizon": 700},
        "objective": ["cox"],
        "training": {
            "epochs": 2,
            "micro_batch": 13,
            "members": members,
            "accelerator": "cpu",
            "optimizer": {"lr": 0.02},
        },
    }
    return Recipe.parse(content, source="test")


def write_pictures(folder: Path) -> Path:
    """Write X-rays and coloured photographs, both with a spot that the mask surrounds, and return
    the cohort file. S02 has no X-ray, S03 has no mask.
    """
    random = np.random.default_rng(5)
    folder.mkdir(parents=True)
    rows = []
    for number in range(SUBJECTS):
        name = f"S{number:02d}"
        spot = _spot(random)
        grey = random.uniform(20, 90, SHAPE) + 120 * spot
        colour = np.stack([grey, 0.5 * grey, random.uniform(0, 60, SHAPE)], axis=2)
        _save(folder / f"{name}-x.png", grey)
        _save(folder / f"{name}-p.png", colour)
        _save(folder / f"{name}-m.png", 255 * spot)
        rows.append(
            {
                "subject": name,
                "time": random.integers(30, 900),
                "event": int(random.uniform() < 0.7),
                "age": random.normal(60, 9),
                "xray": "" if name == "S02" else f"{name}-x.png",
                "photo": f"{name}-p.png",
                "mask": "" if name == "S03" else f"{name}-m.png",
            }
        )
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    content: dict[str, Any] = {
        "name": "pictures",
        "table": "table.csv",
        "subject": "subject",
        "outcome": {"duration": "time", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {
            "xray": {"kind": "image", "path": "xray", "mask": "mask"},
            "photo": {"kind": "image", "path": "photo", "color": "rgb"},
            "clinical": {"kind": "table", "columns": ["age"]},
        },
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(content))
    return folder / "cohort.yaml"


def _spot(random: np.random.Generator) -> NDArray[np.float64]:
    spot = np.zeros(SHAPE)
    down, across = random.integers(0, SHAPE[0] - 5), random.integers(0, SHAPE[1] - 7)
    spot[down : down + 5, across : across + 7] = 1
    return spot


def _save(path: Path, values: NDArray[np.float64]) -> None:
    Image.fromarray(np.clip(values, 0, 255).round().astype(np.uint8)).save(path)
