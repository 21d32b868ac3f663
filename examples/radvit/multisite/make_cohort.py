"""Write a cohort of the six-site lung radiomics, whose only outcome is "alive at two years".

Usage: python make_cohort.py FOLDER_WITH_features.parquet OUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import yaml

TWO_YEARS = 730


def main(source: Path, out: Path) -> None:
    """Whoever died within two years has the event at day 730, whoever lived is censored there."""
    table = pd.read_parquet(source / "features.parquet")
    out.mkdir(parents=True)
    outcome = table[["patient_id", "site"]].assign(
        days=TWO_YEARS, died=1 - table["surv2yr"].astype(int)
    )
    outcome.to_csv(out / "patients.csv", index=False)
    features = [name for name in table.columns if name.count("_") >= 2 and name != "patient_id"]
    cohort = {
        "name": "nsclc-multisite",
        "table": "patients.csv",
        "subject": "patient_id",
        "outcome": {"duration": "days", "unit": "days", "event": "died", "causes": {1: "death"}},
        "site": "site",
        "modalities": {
            "radiomics": {
                "kind": "table",
                "file": str((source / "features.parquet").resolve()),
                "columns": features,
            }
        },
    }
    (out / "cohort.yaml").write_text(yaml.safe_dump(cohort, sort_keys=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
