"""Tables with conditions and data sets, on a cohort of two tables of which one decides all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from survkit.cli import main

from ..stress.conftest import recipe, write_cohort

KEY = "antolini_concordance_within_folds"
NOISE = "blood:column-noise:variation=0.9 + pet:poisson-noise:high"
CONDITION = {"corruption": NOISE, "fraction": 0.5, "seeds": 2, "note": "Half of the test part."}


def table(**changes: Any) -> dict[str, Any]:
    """Return the content of a table of three rows, two data sets and one condition."""
    return {
        "title": "Table 1",
        "source": "Nobody (2025)",
        "cohort": "HECKTOR and HN1",
        "metrics": [KEY, "ibs"],
        "columns": {
            "HECKTOR": {"cohort": "HECKTOR 2022"},
            "H&N1": {"cohort": "HN1", "set": ["outcome.horizon=250"]},
        },
        "conditions": {"noisy": CONDITION},
        "folds": 2,
        "rows": [
            {
                "label": "both",
                "recipe": "both.yaml",
                "columns": {
                    "HECKTOR": {
                        "clean": {"value": 0.771, "sd": 0.13},
                        "noisy": {"value": 0.742, "sd": 0.14, "note": "misprinted"},
                    },
                    "H&N1": {"clean": {"value": 0.742}, "noisy": {"value": 0.702}},
                },
            },
            {"label": "blood", "recipe": "blood.yaml"},
            {
                "label": "blind",
                "recipe": "blind.yaml",
                "columns": {"HECKTOR": {"clean": {"value": 0.6}}},
            },
        ],
        **changes,
    }


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cohort and a recipe per row."""
    folder = tmp_path_factory.mktemp("reproduction")
    write_cohort(folder)
    for name, modalities in {
        "both": ("blood", "noise"),
        "blood": ("blood",),
        "blind": ("noise",),
    }.items():
        (folder / f"{name}.yaml").write_text(recipe("concat", *modalities).to_yaml())
    (folder / "table.yaml").write_text(yaml.safe_dump(table(), sort_keys=False))
    return folder


@pytest.fixture(scope="session")
def made(inputs: Path) -> Path:
    """The same with the table run once, no data set chosen."""
    line = "reproduce table.yaml --cohort cohort.yaml --out out --quiet --replicates 20"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(inputs)
        patch.setenv("SURVKIT_CACHE", str(inputs / "cache"))
        patch.setattr(
            "survkit.report.write_report",
            lambda run, **_: (run / "report.html").write_text("a page"),
        )
        assert main([*line.split(), "--permutations", "99"]) == 0
    return inputs
