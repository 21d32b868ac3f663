"""Anybody's table: what is read, what it means, and what is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from survkit.errors import ConfigError, DataError
from survkit.evaluation import evaluate, read_run, read_training
from survkit.evaluation.metric_names import BRIER, HARRELL, METRICS
from survkit.evaluation.predictions import Predictions
from survkit.evaluation.predictions_file import incidence_column
from survkit.evaluation.training_file import write_training
from survkit.flow import SurvivalTarget
from survkit.metrics import Estimate, Undefined

MakeTable = Callable[..., Predictions]


def frame(table: Predictions, *, survival: bool = False, curves: bool = True) -> pd.DataFrame:
    """The table as somebody else would write it."""
    columns: dict[str, Any] = {"subject": table.subject, "fold": table.fold, "site": table.site}
    columns |= {"duration": table.duration, "event": table.event}
    single = len(table.causes) == 1
    for index, cause in enumerate(table.causes):
        columns["risk_score" if single else f"risk_score.{cause}"] = table.risk_score[:, index]
        if not curves or table.cumulative_incidence is None:
            continue
        for step, time in enumerate(table.time_grid):
            values = table.cumulative_incidence[:, index, step]
            name = incidence_column(cause, time)
            columns[f"survival@{time:g}" if survival else name] = 1 - values if survival else values
    return pd.DataFrame(columns)


@pytest.mark.parametrize("causes", [1, 2])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_gives_the_numbers_of_the_run(
    make_table: MakeTable, tmp_path: Path, causes: int, suffix: str
) -> None:
    """The same predictions as CSV or Parquet of plain columns: every metric is the same."""
    own = make_table(60, causes=causes)
    written = frame(own)
    if causes == 1:
        written = written.rename(columns={"risk_score": "risk_score.death"})
    path = tmp_path / f"table.{suffix}"
    written.to_csv(path, index=False) if suffix == "csv" else written.to_parquet(path)
    theirs = read_run(path, unit="days")
    found = [evaluate(one, replicates=0).to_json()["causes"] for one in (own, theirs)]

    assert theirs.causes == own.causes
    np.testing.assert_allclose(theirs.cumulative_incidence, own.cumulative_incidence, atol=1e-15)
    for item in METRICS:
        ours, other = (one["death"]["metrics"][item.key]["pooled"] for one in found)
        assert ours["value"] == pytest.approx(other["value"], rel=1e-12), item.key


def test_survival_is_turned_into_incidence_where_there_is_one_cause(
    make_table: MakeTable, tmp_path: Path
) -> None:
    """1 - S; several causes are refused."""
    own = make_table(40)
    frame(own, survival=True).to_csv(tmp_path / "s.csv", index=False)
    theirs = read_run(tmp_path / "s.csv", unit="days")
    np.testing.assert_allclose(theirs.cumulative_incidence, own.cumulative_incidence, atol=1e-15)

    two = frame(make_table(40, causes=2), curves=False).assign(**{"survival@600": 0.5})
    two.to_csv(tmp_path / "two.csv", index=False)
    with pytest.raises(DataError, match="says nothing about which of several causes"):
        read_run(tmp_path / "two.csv", unit="days")


def test_risk_scores_alone_leave_probabilities_undefined(
    make_table: MakeTable, tmp_path: Path
) -> None:
    """Discrimination has numbers, everything else the one reason."""
    frame(make_table(), curves=False).to_csv(tmp_path / "r.csv", index=False)
    found = evaluate(tmp_path / "r.csv", horizon=600, unit="days", replicates=5)
    own = evaluate(make_table(), replicates=0)
    undefined = {
        item.key
        for item in METRICS
        if isinstance(pooled := found.metric(item.key).pooled, Undefined)
        and "no predicted probabilities" in pooled.reason
    }
    cause = found.causes["event"]

    assert found.metric(HARRELL).pooled.value == own.metric(HARRELL).pooled.value  # type: ignore[union-attr]
    assert isinstance(found.metric("dynamic_auc").pooled, Estimate)
    assert isinstance(found.metric("mean_dynamic_auc").pooled, Estimate)
    assert undefined == {item.key for item in METRICS if item.group != "discrimination"} | {
        "antolini_concordance_within_folds",
        "antolini_concordance_all_pairs",
    }
    assert cause.calibration == ()
    assert "no predicted probabilities" in cause.calibration_curve["reason"]
    assert "no predicted probabilities" in cause.tests["d_calibration"]["reason"]
    assert "p_value" in cause.tests["log_rank"]
    found.write(tmp_path / "metrics.json")


def test_a_table_without_curves_survives_survkits_own_file(
    make_table: MakeTable, tmp_path: Path
) -> None:
    """Written and read back, it is the same table."""
    table = make_table(cumulative_incidence=None)
    again = Predictions.read(table.write(tmp_path / "p.parquet"))

    assert again.cumulative_incidence is None
    assert again.fingerprint() == table.fingerprint()
    with pytest.raises(DataError, match="no predicted probabilities"):
        table.incidence_at([300.0])


def test_the_horizon_is_a_time_of_the_table(make_table: MakeTable, tmp_path: Path) -> None:
    """An earlier time cuts the curves; any other is refused."""
    path = tmp_path / "t.csv"
    frame(make_table(40)).rename(columns={"risk_score": "risk_score.death"}).to_csv(
        path, index=False
    )
    table = read_run(path, horizon=300, unit="days")

    assert table.horizon == 300
    assert table.time_grid.tolist() == [60, 120, 180, 240, 300]
    with pytest.raises(ConfigError, match="the horizon 310 is none of the times"):
        read_run(path, horizon=310, unit="days")
    with pytest.raises(ConfigError, match="does not say in which unit"):
        read_run(path)
    frame(make_table(40), curves=False).to_csv(tmp_path / "r.csv", index=False)
    with pytest.raises(ConfigError, match="does not say up to which time"):
        read_run(tmp_path / "r.csv", unit="days")


def test_a_run_keeps_its_own_horizon(make_table: MakeTable, tmp_path: Path) -> None:
    """What it says may be repeated, not contradicted."""
    path = make_table(20).write(tmp_path / "predictions.parquet")

    assert read_run(path, horizon=600.0, unit="days").horizon == 600
    with pytest.raises(ConfigError, match=r"its horizon is 600\.0, not 365"):
        read_run(path, horizon=365)
    with pytest.raises(ConfigError, match="the table says that its unit is days, not months"):
        evaluate(make_table(20), unit="months")
    with pytest.raises(ConfigError, match="several folds and so holds those of each"):
        evaluate(make_table(20), training=make_table(20).target())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"duration": "-3"},
            r"'duration' must hold a number above 0 in every row, but row 4 holds",
        ),
        ({"duration": ""}, "'duration' must hold a finite number in every row, but row 4 is empty"),
        ({"duration": "1_000"}, "row 4 holds '1_000'"),
        ({"event": "2"}, "'event' must hold a whole number from 0 to 1 in every row, but row 4"),
        ({"event": "dead"}, "row 4 holds 'dead'"),
        ({"event": "0.5"}, "row 4 holds '0.5'"),
        ({"risk_score": "inf"}, "'risk_score' must hold a finite number"),
        ({"subject": ""}, "'subject' must hold a name in every row, but row 4 is empty"),
        ({"subject": "s000"}, "a subject may appear once in a repeat, but s000"),
        ({"fold": "-1"}, "'fold' must hold a whole number from 0"),
        ({"cumulative_incidence@600": "1.5"}, r"between 0 and 1, but row 2 \(subject s002\)"),
        ({"cumulative_incidence@600": "0.0"}, "must never decrease with time"),
    ],
)
def test_wrong_cells_are_named_with_their_row(
    make_table: MakeTable, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    """One sentence: the file, the column, what was expected, the row of the spreadsheet."""
    written = frame(make_table(12)).astype(str)
    written.columns = [name.replace(".death", "") for name in written.columns]
    for name, cell in change.items():
        written.loc[2, name] = cell
    path = tmp_path / "t.csv"
    written.to_csv(path, index=False)
    with pytest.raises(DataError, match=message) as refusal:
        read_run(path, unit="days")

    assert str(refusal.value).startswith(str(path))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("rename", "message"),
    [
        ({"subject": "who"}, "there is no column 'subject'"),
        ({"risk_score": "score"}, r"there is no column 'risk_score' \(higher means"),
        ({"site": "sites"}, "'sites' would not be read; rename it to 'site'"),
        ({"cumulative_incidence@60": "cumulative_incidence@soon"}, "must end in @ and a time"),
        ({"cumulative_incidence@60": "cumulative_incidence"}, "must end in @ and a time"),
        ({"cumulative_incidence@60": "cumulative_incidence@120.0"}, "are of the same time"),
        ({"cumulative_incidence@60": "survival@60"}, "probabilities must be given by survival or"),
        ({"cumulative_incidence@60": "cumulative_incidence.x@60"}, "must be given by"),
        ({"site": "risk_score.death"}, "there are both 'risk_score' and 'risk_score.death'"),
    ],
)
def test_wrong_columns_are_named(
    make_table: MakeTable, tmp_path: Path, rename: dict[str, str], message: str
) -> None:
    """A column that would not be read is refused if it looks like one that should."""
    written = frame(make_table(12))
    written.columns = [name.replace(".death", "") for name in written.columns]
    path = tmp_path / "t.csv"
    written.rename(columns=rename).to_csv(path, index=False)
    with pytest.raises(DataError, match=message):
        read_run(path, unit="days")


def test_other_columns_are_not_looked_at(make_table: MakeTable, tmp_path: Path) -> None:
    """A table may hold more than predictions."""
    written = frame(make_table(12), curves=False).assign(age=50, note="")
    written.to_csv(tmp_path / "t.csv", index=False)

    assert len(read_run(tmp_path / "t.csv", horizon=600, unit="days")) == 12


def test_files_that_are_no_table_are_one_sentence(tmp_path: Path) -> None:
    """Missing, damaged, another kind."""
    with pytest.raises(DataError, match="there is no such file"):
        read_run(tmp_path / "none.csv", unit="days")
    (tmp_path / "p.parquet").write_bytes(b"no")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_run(tmp_path / "p.parquet", unit="days")


def test_training_subjects_give_weights_to_a_held_out_table(
    make_table: MakeTable, tmp_path: Path
) -> None:
    """Their durations and events, read from a table, are what they are in memory."""
    table = make_table(folds=1)
    training = make_table(150, seed=9)
    pd.DataFrame({"duration": training.duration, "event": training.event}).to_csv(
        tmp_path / "train.csv", index=False
    )
    read = read_training(tmp_path / "train.csv", causes=1)
    alone, found, known = (
        evaluate(table, replicates=0, training=one).metric(BRIER).pooled
        for one in (None, read, training.target())
    )

    assert isinstance(alone, Undefined)
    assert "training=" in alone.reason
    assert isinstance(found, Estimate)
    assert found == known
    (tmp_path / "w.csv").write_text("duration,event\n1.5,2\n")
    with pytest.raises(DataError, match="whole number from 0 to 1"):
        read_training(tmp_path / "w.csv", causes=1)
    (tmp_path / "e.csv").write_text("duration,event,entry\n1.5,1,0\n")
    with pytest.raises(DataError, match="under delayed entry is not identified"):
        read_training(tmp_path / "e.csv", causes=1)


def test_training_subjects_by_repeat_survive_their_file(tmp_path: Path) -> None:
    """Every digit, weights included."""
    targets = {
        repeat: SurvivalTarget(
            torch.tensor([0.1 + repeat, 1 / 3], dtype=torch.float64),
            torch.tensor([1, 0]),
            weight=torch.tensor([0.2, 1.5], dtype=torch.float64),
        )
        for repeat in (0, 1)
    }
    read = read_training(write_training(targets, tmp_path / "training.csv"), causes=1)

    assert isinstance(read, dict)
    for repeat, target in targets.items():
        torch.testing.assert_close(read[repeat].duration, target.duration, rtol=0, atol=0)
        torch.testing.assert_close(read[repeat].weight, target.weight, rtol=0, atol=0)
