"""What the tests of the estimator share: recipes, and subjects with two modalities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sksurv.util import Surv

TRAINING = {"epochs": 15, "validation": 0, "accelerator": "cpu", "optimizer": {"lr": 0.05}}


COX: dict[str, Any] = {
    "encoders": {"clinical": {"use": "tabular", "dim": None}},
    "head": "cox",
    "outcome": {"horizon": 400},
    "objective": "cox",
    "training": TRAINING,
}


HAZARD = COX | {"head": "discrete-hazard", "objective": "hazard-likelihood"}


BOTH = COX | {
    "encoders": {
        "clinical": {"use": "tabular", "dim": None},
        "histology": {"use": "vector", "components": 2},
    }
}


MODALITIES = {"clinical": ["age", "stage"], "histology": ["e0", "e1", "e2", "e3"]}


def data() -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(120, 4)), columns=[f"e{k}" for k in range(4)])
    frame.insert(0, "stage", np.array(["I", "II", "III"])[random.integers(0, 3, 120)])
    frame.insert(0, "age", random.normal(60, 8, 120))
    hazard = 0.15 * (frame["age"] - 60) + frame["e0"]
    time = 400 * random.exponential(np.exp(-hazard))
    censoring = random.uniform(100, 1500, 120)
    frame.loc[::10, "age"] = np.nan
    return frame, Surv.from_arrays(time <= censoring, np.minimum(time, censoring) + 1)


X0, Y0 = data()
PLAIN = X0[["age", "stage"]]
