"""A cohort of vectors in pieces of which two decide, and runs of a model that can drop some."""

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

SUBJECTS, PIECES, WIDTH = 60, 8, 2
ALONE = 6
"""So many of the last subjects have no vector, so the blood is all they have."""
DECIDE = (2, 5)
"""The pieces that the encoder looks at most from the start, and that decide."""

ENCODER = '''
    """An encoder that attends over the pieces of a vector, and can leave some of them out."""

    import torch
    from torch import nn

    from survkit.flow import Encoding
    from survkit.specs import EncodingSpec


    class Pieces(nn.Module):
        """The weighted mean of linear images of the pieces, weighed by place and content."""

        def __init__(self, input, *, dim: int = 4, width: int = 2) -> None:
            super().__init__()
            self.tokens, self.width = input.shape[0] // width, width
            self.project = nn.Linear(width, dim)
            self.content = nn.Linear(width, 1)
            place = torch.zeros(self.tokens)
            place[[2, 5]] = 2.0
            self.place = nn.Parameter(place)
            self.encoding = EncodingSpec(dim=dim, tokens=self.tokens)
            self.register_buffer("kept", torch.ones(self.tokens, dtype=torch.bool))
            self.own = None

        def weights(self, pieces, kept):
            scores = self.place + 0.3 * self.content(pieces)[..., 0]
            return scores.masked_fill(~kept, -torch.inf).softmax(dim=1)

        def pieces(self, values):
            return values.reshape(len(values), self.tokens, self.width)

        def token_importance(self, values):
            return self.weights(self.pieces(values), torch.ones_like(self.kept))

        def keep_tokens(self, kept):
            self.own = kept if kept is not None and kept.ndim == 2 else None
            everyone = torch.ones_like(self.kept)
            self.kept.copy_(everyone if kept is None or kept.ndim == 2 else kept)

        def forward(self, input, *, penalties=True):
            pieces = self.pieces(input.values)
            kept = (self.kept if self.own is None else self.own).expand(len(pieces), -1)
            weights = self.weights(pieces, kept)
            tokens = self.project(pieces) * kept[..., None]
            summary = (weights[..., None] * tokens).sum(1)
            return Encoding(tokens=tokens, summary=summary, present=input.present, token_mask=kept)


    class Broken(Pieces):
        """Its importance is none."""

        def token_importance(self, values):
            return 2 * super().token_importance(values)
'''


def recipe(use: str = "pieces", *, members: int = 1, blood: bool = True, **changes: Any) -> Recipe:
    """Return a linear Cox model over the pieces, and the blood."""
    encoders: dict[str, Any] = {"vector": {"use": use}}
    if blood:
        encoders["blood"] = {"use": "tabular", "dim": 4}
    content = {
        "title": "pieces",
        "encoders": encoders,
        "fusion": {"use": "concat"},
        "head": {"use": "cox"},
        "outcome": {"horizon": 300},
        "objective": ["cox"],
        "training": {
            "epochs": 8,
            "micro_batch": 16,
            "members": members,
            "accelerator": "cpu",
            "optimizer": {"lr": 0.03},
        },
    }
    return Recipe.parse(content | changes, source="test")


def write_cohort(folder: Path) -> Path:
    """Write a cohort whose hazard is decided by two pieces of a vector."""
    random = np.random.default_rng(0)
    names = [f"s{k:02d}" for k in range(SUBJECTS)]
    vector = random.normal(size=(SUBJECTS, PIECES * WIDTH)).round(4)
    risk = vector[:, [piece * WIDTH for piece in DECIDE]].sum(axis=1)
    duration = 300 * random.exponential(np.exp(-risk))
    censoring = random.uniform(50, 900, SUBJECTS)
    pd.DataFrame(
        {
            "id": names,
            "days": (np.minimum(duration, censoring) + 1).round(2),
            "event": (duration <= censoring).astype(int),
            "crp": random.normal(size=SUBJECTS).round(4),
        }
    ).to_csv(folder / "patients.csv", index=False)
    columns = {f"v{k:02d}": vector[:, k] for k in range(PIECES * WIDTH)}
    table = pd.DataFrame({"id": names, **columns})[:-ALONE]
    table.to_csv(folder / "vector.csv", index=False)
    content = {
        "name": "toy",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {
            "blood": {"kind": "table", "columns": ["crp"]},
            "vector": {"kind": "vector", "file": "vector.csv"},
        },
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(content))
    return folder / "cohort.yaml"


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with the core's parts and the encoders that leave pieces out."""
    parts = {
        "pieces": ("encoder", "in_pieces:Pieces"),
        "broken": ("encoder", "in_pieces:Broken"),
    }
    modules = {"in_pieces": ENCODER}
    with registry_with(tmp_path_factory.mktemp("parts"), modules, parts) as found:
        yield found


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """A folder with the cohort and runs of it."""
    folder = tmp_path_factory.mktemp("pruning")
    cohort = Cohort.read(write_cohort(folder))
    runs = {
        "run": (recipe(), 1),
        "several": (recipe(members=2), 2),
        "broken": (recipe("broken"), 1),
        "plain": (recipe("vector"), 1),
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
