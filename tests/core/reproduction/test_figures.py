"""Figures of a table: boxes and log-rank tests that follow from the predictions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from survkit.data import Cohort
from survkit.evaluation import Predictions, evaluate
from survkit.nonparametric.log_rank import log_rank
from survkit.reproduction import Chosen, Reproduction, reproduce
from survkit.stress.chance import chosen
from survkit.stress.measure import mixed

from .conftest import KEY, table

SHARES = [0.0, 0.5, 1.0]
MARKS = [
    {"row": "blood", "column": "HECKTOR", "share": 0.0, "value": 0.85},
    {"row": "blood", "column": "H&N1", "share": 1.0, "value": 0.65},
    {"row": "both", "column": "HECKTOR", "value": 0.1, "bound": "above"},
]


@pytest.fixture
def draw(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the table's first two rows with a figure, into a folder of its own."""
    monkeypatch.chdir(made)
    monkeypatch.setattr(
        "survkit.report.write_report",
        lambda run, **_: (run / "report.html").write_text("a page"),
    )

    def run(kind: str, **more: Any) -> Any:
        figure = {"kind": kind, "condition": "noisy", "published": MARKS, **more}
        return reproduce(
            Reproduction.parse(table(figure=figure), source="t"),
            Cohort.read("cohort.yaml"),
            tmp_path / "out",
            chosen=Chosen(rows=["blood", "both"] if kind != "robustness" else ["blood"]),
            replicates=0,
            progress=False,
        )

    return run


def test_boxes_hold_every_fold_under_every_seed(draw: Any) -> None:
    """At 0 % they are the folds of the run, at 100 % those of fully corrupted predictions."""
    found = draw("robustness", shares=SHARES)
    row = found.content["figure"]["rows"]["blood"]

    folder = found.folder / "conditions/noisy/blood/predictions"
    clean = Predictions.read(folder / "clean.parquet")
    for box in row["boxes"]:
        expected = []
        for seed in (0, 1):
            (file,) = folder.glob(f"*.seed-{seed}.parquet")
            rows = chosen(clean, box["share"], seed)
            mixture = mixed(clean, Predictions.read(file), rows)
            metric = evaluate(mixture, replicates=0).causes["death"].metrics[KEY]
            expected += [one.result.value for one in metric.folds]
        assert box["values"] == pytest.approx(expected)
        assert box["quartiles"] == pytest.approx(np.quantile(expected, [0.25, 0.5, 0.75]))
        assert box["undefined"] == 0
    run = json.loads((found.folder / "rows/blood/metrics.json").read_text())
    own = [fold["value"] for fold in run["causes"]["death"]["metrics"][KEY]["folds"]]
    assert row["boxes"][0]["values"] == pytest.approx(own * 2, abs=1e-6)
    assert [mark["words"] for mark in row["published"]] == ["0.85 on HECKTOR", "0.65 on H&N1"]

    text = (found.folder / "table.md").read_text()
    assert "](figure-blood.svg)" in text
    assert (found.folder / "figure-blood.svg").read_bytes().startswith(b"<?xml")
    median = row["boxes"][0]["quartiles"][1]
    assert f"| blood | 0% | {median:.3f} | " in text
    assert "| 4 | 0.85 on HECKTOR |" in text


def test_halves_are_cut_by_rank_within_the_fold_and_tested(draw: Any) -> None:
    """No outcome enters the cut; p is that of a log-rank test of the halves until the horizon."""
    found = draw("kaplan-meier")
    row = found.content["figure"]["rows"]["blood"]
    folder = found.folder / "conditions/noisy/blood/predictions"
    clean = Predictions.read(folder / "clean.parquet")
    p_values = []
    for seed in (0, 1):
        (file,) = folder.glob(f"*.seed-{seed}.parquet")
        mixture = mixed(clean, Predictions.read(file), chosen(clean, 0.5, seed))
        upper = np.zeros(len(mixture), dtype=np.int64)
        for fold in (0, 1):
            own = np.flatnonzero(mixture.fold == fold)
            order = own[np.argsort(mixture.risk_score[own, 0])]
            upper[order[len(order) // 2 :]] = 1
        seen = mixture.duration <= 300
        target = mixture.target()
        until = type(target)(
            duration=target.duration.clamp(max=300), event=target.event * torch.from_numpy(seen)
        )
        p_values.append(log_rank(until, torch.from_numpy(upper)).p_value)

    assert [test["p_value"] for test in row["seeds"]] == pytest.approx(p_values)
    assert row["median_p"] == pytest.approx(np.median(p_values))
    text = (found.folder / "table.md").read_text()
    assert f"| blood | 50% | {row['clean']['p_value']:.4f} | {row['median_p']:.4f} |" in text
    assert "| > 0.1 on HECKTOR |" in text
    drawn = (found.folder / "figure-blood.svg").read_text()
    assert "halves by the rank of their predicted risk within their fold" in text
    assert drawn.startswith("<?xml")
