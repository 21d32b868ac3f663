"""The validation part of a fit: as large as the recipe says, whatever the events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from survkit.data import Cohort
from survkit.errors import DataError
from survkit.training.fit import set_aside

SUBJECTS = 100


def cohort_with(events: int, folder: Path) -> Cohort:
    """A cohort in which so many subjects have the event."""
    table = {
        "id": [f"s{k}" for k in range(SUBJECTS)],
        "days": np.random.default_rng(0).uniform(1, 100, SUBJECTS),
        "event": (np.arange(SUBJECTS) < events).astype(int),
    }
    pd.DataFrame(table).assign(x=1.0).to_csv(folder / "patients.csv", index=False)
    config = {
        "name": "toy",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {"clinical": {"kind": "table", "columns": ["x"]}},
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(config))
    return Cohort.read(folder / "cohort.yaml")


@pytest.mark.parametrize("share", [0.0, 0.15, 0.2, 0.4, 0.6])
def test_the_part_is_as_large_as_asked(share: float, tmp_path: Path) -> None:
    """Not the nearest 1/n: 0.4 is neither a half nor a third. Events have their share of it."""
    cohort = cohort_with(40, tmp_path)

    fold = set_aside(cohort, share, seed=0).folds[0]

    assert len(fold.validation) == round(SUBJECTS * share)
    assert sorted((*fold.train, *fold.validation)) == sorted(cohort.subjects)
    observed = sum(int(name[1:]) < 40 for name in fold.validation)
    assert observed == round(40 * share)


def test_few_events_do_not_make_the_part_larger(tmp_path: Path) -> None:
    """Three events are no reason to set aside a third of the cohort."""
    fold = set_aside(cohort_with(3, tmp_path), 0.2, seed=0).folds[0]

    assert len(fold.validation) == 20


def test_a_part_without_events_is_refused(tmp_path: Path) -> None:
    """No epoch can be chosen on it."""
    with pytest.raises(DataError, match=r"no event among the 10 validation subjects"):
        set_aside(cohort_with(2, tmp_path), 0.1, seed=0)
