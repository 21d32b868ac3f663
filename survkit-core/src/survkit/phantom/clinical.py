"""The clinical row: age, sex, stage and a noisy biomarker that some subjects lack."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from survkit.phantom.streams import stream
from survkit.phantom.truth import Factors

STAGES = ("I", "II", "III", "IV")
SEXES = ("female", "male")


def draw_clinical(seed: int, factors: Factors, missing_biomarker: float) -> pd.DataFrame:
    """Return the columns age (whole years), sex, stage and biomarker, one row per subject.

    The biomarker rises with age and stage and says nothing beyond them, so the oracle of the
    clinical columns is
    known whatever its noise. It is NaN for a share ``missing_biomarker`` of the subjects, at
    random.
    """
    subjects = len(factors.age)
    draws: NDArray[np.float64] = np.empty((subjects, 2))
    for subject in range(subjects):
        random = stream(seed, "clinical", subject)
        draws[subject] = random.standard_normal(), random.random()
    scores = factors.standardized()
    biomarker = np.round(
        np.exp(1.0 + 0.3 * (scores["age"] + scores["stage"]) + 0.5 * draws[:, 0]), 2
    )
    return pd.DataFrame(
        {
            "age": np.floor(factors.age).astype(np.int64),
            "sex": np.asarray(SEXES)[factors.sex],
            "stage": np.asarray(STAGES)[factors.stage - 1],
            "biomarker": np.where(draws[:, 1] < missing_biomarker, np.nan, biomarker),
        }
    )
