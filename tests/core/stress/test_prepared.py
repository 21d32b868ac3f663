"""Pictures with masks that an encoder prepares, and bags of tiles of different sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from survkit.data import Cohort
from survkit.evaluation import Predictions
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.stress import Stress, stress_run
from survkit.training import cross_validate

SUBJECTS = 24
ASKED = (
    "xray:mask-jitter:high",
    "xray:gaussian-noise:sigma=0",
    "xray:blur:high",
    "xray:bias-field:high",
    "tiles:column-noise:variation=0",
    "tiles:column-noise:high",
)


def write_cohort(folder: Path) -> Path:
    """Write radiographs with a bright square of which the mask knows, and tiles."""
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
    tiles = {name: random.normal(size=(random.integers(1, 6), 4)) for name in names}
    np.savez(folder / "tiles.npz", **tiles)
    duration = 300 * random.exponential(np.exp(-(bright - 160) / 30))
    pd.DataFrame(
        {
            "id": names,
            "days": (np.minimum(duration, 800) + 1).round(2),
            "event": (duration < 800).astype(int),
            "picture": [f"{name}.png" for name in names],
            "mask": [f"{name}-mask.png" for name in names],
        }
    ).to_csv(folder / "patients.csv", index=False)
    content = {
        "name": "pictures",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {
            "xray": {"kind": "image", "path": "picture", "mask": "mask", "window": [0, 255]},
            "tiles": {"kind": "vector", "file": "tiles.npz", "tokens": True},
        },
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(content))
    return folder / "cohort.yaml"


@pytest.fixture(scope="module")
def stressed(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Stress:
    """The stress test of a model that looks inside the mask and at the tiles."""
    folder = tmp_path_factory.mktemp("pictures")
    cohort = Cohort.read(write_cohort(folder))
    content = {
        "title": "pictures",
        "encoders": {"xray": {"use": "mask"}, "tiles": {"use": "vector", "dim": 3}},
        "fusion": {"use": "concat"},
        "head": {"use": "cox"},
        "outcome": {"horizon": 300},
        "objective": ["cox"],
        "training": {"epochs": 3, "micro_batch": 5, "accelerator": "cpu"},
    }
    cross_validate(
        Recipe.parse(content, source="test"),
        cohort,
        folder / "cv",
        folds=2,
        replicates=0,
        progress=False,
        registry=registry,
    )
    return stress_run(
        folder / "cv",
        cohort,
        corruptions=ASKED,
        fractions=(0.0, 1.0),
        seeds=2,
        replicates=0,
        registry=registry,
    )


def tables(stressed: Stress, start: str) -> list[Predictions]:
    return [table for key, table in stressed.corrupted.items() if key.startswith(start)]


def test_identities_go_through_preparation_and_padding(stressed: Stress) -> None:
    """A picture prepared again and tiles padded again give the clean predictions bit for bit."""
    same = [
        *tables(stressed, "xray.gaussian-noise"),
        *tables(stressed, "tiles.column-noise.variation=0.0"),
    ]

    assert len(same) == 4
    for table in same:
        assert np.array_equal(table.cumulative_incidence, stressed.clean.cumulative_incidence)


def test_a_moved_mask_reaches_the_model(stressed: Stress) -> None:
    """An encoder that looks inside the mask sees less of the bright square; so do blur and a bias
    field, and noise reaches the tiles.
    """
    for start in ("xray.mask-jitter", "xray.blur", "xray.bias-field", "tiles.column-noise.vari"):
        changed = tables(stressed, start)[-1]
        assert (changed.risk_score != stressed.clean.risk_score).mean() > 0.9, start


def test_the_suite_moves_masks_that_matter(stressed: Stress, registry: Registry) -> None:
    """Asked for nothing in particular, masks are moved where cohort and encoder know of them."""
    run = stressed.folder.parent
    whole = stress_run(
        run,
        Cohort.read(run.parent / "cohort.yaml"),
        out=run / "all",
        fractions=(1.0,),
        seeds=1,
        replicates=0,
        registry=registry,
    )
    names = {
        modality: [e["name"] for e in whole.content["corruptions"] if e["modality"] == modality]
        for modality in ("xray", "tiles")
    }

    assert "mask-jitter" in names["xray"]
    assert "slice-thickness" not in names["xray"]
    assert names["tiles"] == ["column-noise", "missing-modality"]
    assert (whole.folder / "examples/xray.mask-jitter.svg").is_file()
