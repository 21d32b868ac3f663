"""Two causes of death, from phantom images to the report: incidences, metrics of each cause, codes.

The fast run is too short to learn anything; what it tells is what holds of any run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from survkit.cli import main
from survkit.data import Cohort, PreparationCache
from survkit.evaluation import Predictions
from survkit.hub import from_pretrained

CAUSES = ("cancer_death", "other_death")
CTD = "antolini_concordance_within_folds"
NARROW = (
    "encoders.ct.width=0.0625",
    "encoders.pet.width=0.0625",
    "encoders.ct.start=uniform",
    "encoders.pet.start=uniform",
    "training.validation=0",
)


def phantom(folder: Path, *words: str) -> Path:
    """A cohort of CT and PET with two causes."""
    line = ["phantom", "--out", str(folder), "--causes", "2", "--modality", "ct"]
    assert main([*line, "--modality", "pet", *words]) == 0
    return folder / "cohort.yaml"


def cross_validated(folder: Path, cohort: Path, changes: Sequence[str], *words: str) -> Path:
    """The run of robsurv/small."""
    line = ["cv", "robsurv/small", "--cohort", str(cohort), "--out", str(folder / "run")]
    line += ["--cache", str(folder / "cache"), "--quiet", *words]
    for change in changes:
        line += ["--set", change]
    assert main(line) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cohort of 40 subjects, volumes of 16^3, and a run of two folds, one epoch."""
    folder = tmp_path_factory.mktemp("competing")
    words = ("--subjects", "40", "--size", "16", "--seed", "5", "--censored", "0.2")
    cohort = phantom(folder / "phantom", *words)
    changes = (*NARROW, "training.epochs=1")
    cross_validated(folder, cohort, changes, "--folds", "2", "--replicates", "10")
    return folder


def metrics(run: Path) -> dict[str, Any]:
    """What stands in metrics.json, by cause."""
    found: dict[str, Any] = json.loads((run / "metrics.json").read_text())["causes"]
    return found


def test_incidences_and_survival_are_one_at_every_time(made: Path) -> None:
    """Of every out-of-fold subject, between grid points too; incidences never fall."""
    table = Predictions.read(made / "run" / "predictions.parquet")
    cohort = Cohort.read(made / "phantom" / "cohort.yaml")
    times = np.linspace(0.0, table.horizon, 137)

    assert table.causes == CAUSES
    assert table.cumulative_incidence is not None
    assert bool((np.diff(table.cumulative_incidence, axis=2) >= 0).all())
    assert float(table.cumulative_incidence.sum(axis=1).max()) <= 1 + 1e-6
    for fold in (0, 1):
        rows = np.flatnonzero(table.fold == fold)
        places = [cohort.subjects.index(str(name)) for name in table.subject[rows]]
        model = from_pretrained(made / "run" / f"fold-{fold}")
        found = model.predict(cohort, places, cache=PreparationCache(made / "cache"))
        incidence = found.cumulative_incidence(torch.from_numpy(times))
        survival = found.survival(torch.from_numpy(times))
        own = found.cumulative_incidence(torch.from_numpy(table.time_grid)).numpy()

        assert bool((incidence.diff(dim=2) >= -1e-7).all())
        torch.testing.assert_close(
            incidence.sum(dim=1) + survival, torch.ones_like(survival), atol=1e-6, rtol=0
        )
        np.testing.assert_allclose(own, table.cumulative_incidence[rows], atol=1e-5)


def test_each_cause_has_its_own_concordance_and_calibration(made: Path) -> None:
    """C-td is that of the cause, pair by pair; calibration is against Aalen-Johansen."""
    table = Predictions.read(made / "run" / "predictions.parquet")
    found = metrics(made / "run")
    page = (made / "run" / "report.html").read_text()

    assert tuple(found) == CAUSES
    for code, cause in enumerate(CAUSES, start=1):
        assert found[cause]["events"] == int((table.event == code).sum())
        assert found[cause]["metrics"][CTD]["pooled"]["value"] == pytest.approx(
            by_pairs(table, code), abs=1e-9
        )
        for name in ("observed_expected_ratio", "incidence_calibration"):
            assert found[cause]["metrics"][name]["pooled"]["value"] >= 0
        observed = [group["observed"] for group in found[cause]["calibration"]]
        assert observed
        assert all("Aalen–Johansen" in one["method"] for one in observed)
        assert f'id="cause-{code}-calibration"' in page


def by_pairs(table: Predictions, code: int) -> float:
    """C-td of a cause: whose event of it came first had the higher incidence of it then.

    Pairs within folds, with events by the horizon; whoever left for another cause before is not
    comparable, whoever left at the same time is later. Antolini et al. (2005); ties count one half.
    """
    concordant = comparable = 0.0
    for row in np.flatnonzero((table.event == code) & (table.duration <= table.horizon)):
        time = float(table.duration[row])
        at = table.incidence_at([time])[:, code - 1, 0]
        later = (table.fold == table.fold[row]) & (table.duration > time)
        comparable += float(later.sum())
        concordant += float((at[row] > at[later]).sum() + 0.5 * (at[row] == at[later]).sum())
    return concordant / comparable


def test_a_collapse_is_told_everywhere(made: Path) -> None:
    """One epoch of codes that start near zero is one: the fold's file, its log and the report."""
    told = [
        one
        for fold in (0, 1)
        for one in json.loads((made / "run" / f"fold-{fold}" / "training.json").read_text())[
            "health"
        ][0]
    ]
    log = (made / "run" / "fold-0" / "log.csv").read_text().splitlines()[0]
    page = (made / "run" / "report.html").read_text()

    assert {one["module"] for one in told} <= {"ct", "pet"}
    assert told
    assert all("the codebook has collapsed: 20 tokens" in one["warning"] for one in told)
    assert "ct.perplexity" in log
    assert "the codebook has collapsed: 20 tokens" in page


def test_a_cause_that_nobody_named_is_refused(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table has code 2; the cohort file names code 1 alone. One sentence, nothing trained."""
    content = yaml.safe_load((made / "phantom" / "cohort.yaml").read_text())
    content["outcome"]["causes"] = {1: "cancer_death"}
    one_cause = tmp_path / "cohort.yaml"
    one_cause.write_text(yaml.safe_dump(content))
    line = ["fit", "robsurv/small", "--cohort", str(one_cause), "--out", str(tmp_path / "run")]
    line += ["--table", str(made / "phantom" / "table.csv"), "--data", str(made / "phantom")]
    capsys.readouterr()

    code = main(line)
    said = capsys.readouterr().err
    assert code == 2
    assert "unknown event code 2; known are 0, 1" in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()
