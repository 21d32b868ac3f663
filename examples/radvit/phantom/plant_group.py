"""Give the subjects of an X-ray phantom cohort outcomes that one class of radiomics decides.

    python examples/radvit/phantom/plant_group.py COHORT_FOLDER CLASS

CLASS is firstorder, glcm, glrlm, glszm, gldm or ngtdm. The cohort must have been made by ``survkit
phantom --modality cxr --masks``. The 93 features of the lesion's shadow are computed from each
X-ray (stretched to 0 to 255, bins of 5). The log hazard is EFFECT times the standardised sum of the
class's z-scores, each weighed by a number drawn from a normal distribution (SEED); event times are
exponential, and so are censoring times, of the rate of a subject with log hazard 0 halved.

Writes into the folder ``planted-CLASS.csv``, outcomes and features, and ``planted-CLASS.yaml``, the
cohort that reads them. It prints the concordance of the true log hazard, and between it and each
class the squared correlation in a linear regression, adjusted for the number of features: what the
other classes know of it too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from numpy.typing import NDArray
from PIL import Image

from survkit.flow import SurvivalTarget
from survkit.metrics.harrell import harrell_concordance
from survkit.radiomics import FEATURE_NAMES, RadiomicsSettings, roi_features

SEED, EFFECT, RATE = 1, 1.5, 1 / 700
CLASSES = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")

Floats = NDArray[np.float64]


def lesion_features(folder: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Return the 93 features of each subject's lesion, one row per subject."""
    settings, rows = RadiomicsSettings(bin_width=5.0), []
    for picture, mask in zip(table["cxr_path"], table["cxr_lesion_path"], strict=True):
        image = np.asarray(Image.open(folder / picture), dtype=np.float64)
        image = (image - image.min()) * 255 / (image.max() - image.min())
        region = torch.from_numpy(np.asarray(Image.open(folder / mask)) > 0)
        rows.append(roi_features(torch.from_numpy(image), region, (1.0, 1.0), settings).numpy())
    return pd.DataFrame(np.stack(rows), columns=list(FEATURE_NAMES))


def z_scores(features: pd.DataFrame) -> pd.DataFrame:
    """Return the features that vary, with mean 0 and SD 1 over the cohort."""
    varies = features.columns[features.std(ddof=0) > 1e-8 * features.abs().max()]
    kept = features[varies]
    return (kept - kept.mean()) / kept.std(ddof=0)


def of_class(scores: pd.DataFrame, name: str) -> Floats:
    """Return the columns of one class."""
    return scores[[each for each in scores if str(each).startswith(f"{name}_")]].to_numpy()


def known(scores: Floats, log_hazard: Floats) -> float:
    """Return the adjusted R² of the log hazard on these columns."""
    design = np.column_stack([np.ones(len(scores)), scores])
    fit, _, rank, _ = np.linalg.lstsq(design, log_hazard, rcond=None)
    left = np.square(log_hazard - design @ fit).sum() / (len(scores) - rank)
    return float(1 - left / log_hazard.var(ddof=1))


def main(folder: Path, planted: str) -> None:
    """Write the cohort."""
    table = pd.read_csv(folder / "table.csv", dtype={"subject_id": str})
    features = lesion_features(folder, table)
    scores = z_scores(features)
    random = np.random.default_rng(SEED)
    own = of_class(scores, planted)
    score = own @ random.normal(size=own.shape[1])
    log_hazard = EFFECT * (score - score.mean()) / score.std()
    event_time = random.exponential(size=len(table)) / (RATE * np.exp(log_hazard))
    censoring_time = random.exponential(size=len(table)) / (RATE / 2)
    outcome = pd.DataFrame(
        {
            "subject_id": table["subject_id"],
            "time_days": np.minimum(event_time, censoring_time),
            "event": (event_time <= censoring_time).astype(int),
        }
    )
    pd.concat([outcome, features], axis=1).to_csv(folder / f"planted-{planted}.csv", index=False)
    cohort = {
        "name": f"planted-{planted}",
        "table": f"planted-{planted}.csv",
        "subject": "subject_id",
        "outcome": {
            "duration": "time_days",
            "unit": "days",
            "event": "event",
            "causes": {1: "death"},
        },
        "modalities": {"radiomics": {"kind": "table", "columns": list(FEATURE_NAMES)}},
    }
    (folder / f"planted-{planted}.yaml").write_text(yaml.safe_dump(cohort, sort_keys=False))
    target = SurvivalTarget(
        torch.tensor(outcome["time_days"].to_numpy()), torch.tensor(outcome["event"].to_numpy())
    )
    print(f"oracle concordance: {harrell_concordance(torch.from_numpy(log_hazard), target)}")
    for name in CLASSES:
        print(f"{name}: adjusted R² {known(of_class(scores, name), log_hazard):.2f}")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in CLASSES:
        sys.exit(f"usage: plant_group.py COHORT_FOLDER {'|'.join(CLASSES)}")
    main(Path(sys.argv[1]), sys.argv[2])
