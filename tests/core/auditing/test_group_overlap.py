"""Images of one patient on both sides of a fold are found, whatever the splits were made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tests.core.evaluation.conftest import simulated_table

from survkit.auditing import audit
from survkit.auditing.finding import Finding


def findings(folder: Path, *, by_patient: bool, foreign: bool = False) -> list[Finding]:
    """Audit 40 patients with two images each, split by patient or by image."""
    table = simulated_table(80, folds=4)
    patient = np.arange(80) // 2
    fold = (patient if by_patient else np.arange(80)) % 4
    table = replace(
        table, fold=fold.astype(np.int64), group=np.array([f"p{k:02d}" for k in patient])
    )
    path = table.write(folder / "predictions.parquet")
    if foreign:
        path = folder / "table.csv"
        columns: dict[str, Any] = {name: getattr(table, name) for name in ("subject", "group")}
        columns |= {name: getattr(table, name) for name in ("fold", "duration", "event")}
        pd.DataFrame(columns | {"risk_score": table.risk_score[:, 0]}).to_csv(path, index=False)
    found = audit(path)
    return [one for one in found.findings if one.rule == "group-overlap"]


def test_images_split_as_if_they_were_patients_are_an_error(tmp_path: Path) -> None:
    """Every fold is named, and whose images they are."""
    (found,) = findings(tmp_path, by_patient=False)

    assert found.severity == "error"
    assert "p00" in found.evidence
    assert "4 of 4 folds" in found.evidence


def test_patients_kept_whole_are_not_accused(tmp_path: Path) -> None:
    """The same images, divided by patient."""
    assert findings(tmp_path, by_patient=True) == []


def test_a_column_group_of_somebody_else_is_no_patient(tmp_path: Path) -> None:
    """In foreign tables it is often a risk group, on both sides by design."""
    assert findings(tmp_path, by_patient=False, foreign=True) == []
