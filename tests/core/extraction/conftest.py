"""A cohort of radiographs and CTs with regions, and what is wrong with copies of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

SUBJECTS = 6
NAMES = [f"{k:03d}" for k in range(SUBJECTS)]


def picture(k: int) -> np.ndarray:
    """Return a radiograph of 32 x 48 pixels, texture on a ramp; that of the last one is flat."""
    random = np.random.default_rng(k)
    ramp = np.linspace(40, 160, 48)[None] + random.uniform(-30, 30, (32, 48))
    return np.full((32, 48), 90) if k == SUBJECTS - 1 else ramp


def write_cohort(folder: Path) -> Path:
    """Write it: ``cxr`` with a window and masks, and ``ct`` of which subject 004 has none."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    for k, name in enumerate(NAMES):
        Image.fromarray(picture(k).astype(np.uint8)).save(folder / f"{name}.png")
        mask = np.zeros((32, 48), dtype=np.uint8)
        mask[6:20, 10 : 24 + k] = 1
        Image.fromarray(mask).save(folder / f"{name}-mask.png")
        affine = np.diag([-0.8, -0.8, 2.0, 1.0])
        volume = random.normal(40, 60, (10, 9, 8)).round().astype(np.int16)
        region = np.zeros((10, 9, 8), dtype=np.uint8)
        region[2:7, 2:6, 1 : 4 + k % 3] = 1
        for values, ending in ((volume, ""), (region, "-roi")):
            image = nib.Nifti1Image(values, affine)  # type: ignore[no-untyped-call]
            nib.save(image, folder / f"{name}{ending}.nii.gz")
    pd.DataFrame(
        {
            "id": NAMES,
            "days": [100.0 + 10 * k for k in range(SUBJECTS)],
            "event": [k % 2 for k in range(SUBJECTS)],
            "age": [50.0 + k for k in range(SUBJECTS)],
            "picture": [f"{name}.png" for name in NAMES],
            "mask": [f"{name}-mask.png" for name in NAMES],
            "volume": [f"{name}.nii.gz" if name != "004" else "" for name in NAMES],
            "roi": [f"{name}-roi.nii.gz" if name != "004" else "" for name in NAMES],
        }
    ).to_csv(folder / "patients.csv", index=False)
    content = {
        "name": "textures",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {
            "cxr": {"kind": "image", "path": "picture", "mask": "mask", "window": [60, 120]},
            "ct": {"kind": "volume", "path": "volume", "mask": "roi", "window": [0, 80]},
        },
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return folder / "cohort.yaml"


def change(file: Path, path: str, value: Any) -> None:
    """Set a value of the cohort file at a dotted path; ``None`` removes the key."""
    content = yaml.safe_load(file.read_text())
    *inner, last = path.split(".")
    place = content
    for key in inner:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    file.write_text(yaml.safe_dump(content, sort_keys=False))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The cohort file of a fresh copy."""
    return write_cohort(tmp_path / "cohort")
