"""What simple statistics of the images can know, against the oracle."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from scipy.ndimage import binary_erosion

from survkit.metrics.estimate import Estimate
from survkit.metrics.harrell import harrell_concordance
from survkit.phantom import Phantom, PhantomConfig, generate_phantom
from survkit.phantom.anatomy import HEART, LUNGS, radial

COLUMNS = {
    "ct": ["volume", "texture"],
    "pet": ["uptake", "peak"],
    "clinical": ["age", "stage", "sex"],
}


def statistics(phantom: Phantom) -> pd.DataFrame:
    """Read the images without knowing the truth: thresholds within where lungs usually are."""
    usual = np.zeros((phantom.config.size,) * 3, dtype=bool)
    for lung in LUNGS:
        box, distance = radial(phantom.grid, lung)
        usual[box] |= distance <= 0.93
    box, distance = radial(phantom.grid, HEART)
    usual[box] &= distance > 1.2
    rows = []
    for images in phantom.all_images():
        assert images.ct is not None
        assert images.pet is not None
        dense = usual & (images.ct > -300)
        inside = images.ct[binary_erosion(dense)]
        texture = inside.std() if len(inside) > 1 else 0.0
        hot = np.clip(images.pet - 2.5, 0, None)
        rows.append((dense.sum(), texture, hot.sum(), hot.max()))
    table = pd.DataFrame(rows, columns=["volume", "texture", "uptake", "peak"])
    table["age"] = phantom.clinical["age"]
    table["stage"] = phantom.clinical["stage"].map({"I": 1, "II": 2, "III": 3, "IV": 4})
    table["sex"] = phantom.clinical["sex"].eq("male").astype(float)
    return (table - table.mean()) / table.std()


def concordance(score: np.ndarray, phantom: Phantom) -> float:
    import torch

    result = harrell_concordance(torch.tensor(score, dtype=torch.float64), phantom.target)
    assert isinstance(result, Estimate)
    return result.value


def fitted(table: pd.DataFrame, phantom: Phantom) -> float:
    """Concordance of a nearly unpenalized Cox model of the table."""
    columns = list(table.columns)
    data = table.assign(time=phantom.outcome.duration, event=phantom.outcome.event)
    model = CoxPHFitter(penalizer=0.001).fit(data, "time", "event")
    return concordance(model.predict_log_partial_hazard(table[columns]).to_numpy(), phantom)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return generate_phantom(PhantomConfig(subjects=600, size=32, missing_biomarker=0.0))


def test_images_and_columns_hold_what_the_oracle_knows(phantom: Phantom) -> None:
    """All simple statistics together go at least 97 % of the way from 0.5 to the oracle."""
    oracle = concordance(phantom.log_hazard[:, 0], phantom)

    assert 0.80 < oracle < 0.86
    assert fitted(statistics(phantom), phantom) - 0.5 > 0.97 * (oracle - 0.5)


def test_each_modality_sees_only_its_part(phantom: Phantom) -> None:
    """Alone, each modality comes near its own oracle and stays far from the whole one."""
    oracle = concordance(phantom.log_hazard[:, 0], phantom)
    table = statistics(phantom)

    for modality, columns in COLUMNS.items():
        own = phantom.oracle_concordance(modality)
        assert isinstance(own, Estimate)
        alone = fitted(table[columns], phantom)
        assert 0.62 < own.value < 0.72
        assert own.value - 0.02 < alone < own.value + 0.01
        assert oracle - alone > 0.1
