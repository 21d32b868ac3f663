"""The predictions table: what it refuses, what comes back from a file, how it interpolates."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from survkit.errors import DataError
from survkit.evaluation.predictions import Predictions, concatenate


def table(**changes: Any) -> Predictions:
    """Four subjects, two folds, two causes, three times."""
    late = np.array([[0.3, 0.2], [0.5, 0.4], [0.1, 0.1], [0.2, 0.6]])
    columns: dict[str, Any] = {
        "subject": np.array(["a", "b", "c", "d"]),
        "repeat": np.zeros(4, dtype=np.int64),
        "fold": np.array([0, 0, 1, 1]),
        "duration": np.array([100.0, 250.5, 365.0, 30.0]),
        "event": np.array([1, 0, 2, 1]),
        "causes": ("relapse", "death"),
        "time_unit": "days",
        "horizon": 365.25,
        "time_grid": np.array([100.0, 0.1 + 200.0, 365.25]),
        "cumulative_incidence": late[:, :, None] * np.array([0.25, 0.5, 1.0]),
        "risk_score": late * 3 - 1,
        "model": "toy",
        "splits_hash": "abc123",
        "seed": 7,
    }
    return Predictions(**columns | changes)


def equal(left: Predictions, right: Predictions) -> bool:
    return all(
        np.array_equal(getattr(left, name), getattr(right, name))
        for name in left.__dataclass_fields__
    )


def test_a_file_gives_back_every_value_exactly(tmp_path: Path) -> None:
    """Write and read is the identity, with the optional columns too."""
    full = table(
        entry=np.array([0.0, 1.0, 2.0, 3.0]),
        weight=np.full(4, 0.1),
        site=np.array(["x", "y", "x", "y"]),
    )
    for number, written in enumerate((table(), full)):
        again = Predictions.read(written.write(tmp_path / f"{number}.parquet"))

        assert equal(again, written)


def test_the_file_has_the_plain_columns_a_biostatistician_reads(tmp_path: Path) -> None:
    """Pandas reads the file without survkit, times are in the column names, facts in the
    metadata.
    """
    path = table().write(tmp_path / "predictions.parquet")
    frame = pd.read_parquet(path)
    facts = json.loads(pq.read_schema(path).metadata[b"survkit.predictions"])

    assert list(frame.columns) == [
        *("subject", "repeat", "fold", "duration", "event"),
        *("risk_score.relapse", "cumulative_incidence.relapse@100"),
        *("cumulative_incidence.relapse@200.1", "cumulative_incidence.relapse@365.25"),
        *("risk_score.death", "cumulative_incidence.death@100"),
        *("cumulative_incidence.death@200.1", "cumulative_incidence.death@365.25"),
    ]
    assert frame["cumulative_incidence.death@365.25"].tolist() == [0.2, 0.4, 0.1, 0.6]
    assert facts["splits_hash"] == "abc123"
    assert facts["horizon"] == 365.25


def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk half-way is one line, and neither the old table nor the folder changes."""
    path = table().write(tmp_path / "predictions.parquet")

    def fail(_: Any, where: Path) -> None:
        where.write_bytes(b"PAR1 half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(DataError, match="cannot be written: No space left on device"):
        table(model="new").write(path)
    monkeypatch.undo()

    assert [item.name for item in tmp_path.iterdir()] == ["predictions.parquet"]
    assert Predictions.read(path).model == "toy"


def test_incidence_is_linear_between_grid_times() -> None:
    """From 0 at time 0 through the knots, as GridPrediction interpolates."""
    at = table().incidence_at([0.0, 50.0, 100.0, (200.1 + 365.25) / 2, 365.25])

    np.testing.assert_allclose(at[0, 0], [0.0, 0.0375, 0.075, 0.225, 0.3], atol=1e-15)


def test_incidence_agrees_with_the_prediction_it_came_from() -> None:
    """The same knots and values give what GridPrediction gives at any time."""
    torch = pytest.importorskip("torch")
    from survkit.prediction import GridPrediction

    source = table()
    typed = GridPrediction(
        torch.tensor(source.time_grid), torch.tensor(source.cumulative_incidence), "linear"
    )
    times = np.linspace(0, 365.25, 57)

    np.testing.assert_allclose(
        source.incidence_at(times), typed.cumulative_incidence(times).numpy(), atol=1e-15
    )


def test_incidence_beyond_the_horizon_is_refused() -> None:
    """Nothing is said after the horizon."""
    with pytest.raises(DataError, match=r"between 0 and the horizon 365\.25 days, not 400"):
        table().incidence_at([400.0])


def test_concatenate_joins_what_select_cut() -> None:
    """Folds cut apart and joined are the table."""
    whole = table()

    assert equal(concatenate([whole.select(whole.fold == 0), whole.select(whole.fold == 1)]), whole)


def test_concatenate_refuses_other_outcomes_and_twins() -> None:
    """Tables of different horizons, or holding the same subject in one repeat, cannot be joined."""
    with pytest.raises(
        DataError, match="must agree in splits_hash, but one says abc123 and another other"
    ):
        concatenate([table(), table(splits_hash="other")])
    with pytest.raises(
        DataError, match="a subject may appear once in a repeat, but a appears again in repeat 0"
    ):
        concatenate([table(), table()])
    with pytest.raises(DataError, match="have the column site or none"):
        concatenate([table(), table(site=np.array(["x"] * 4))])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"event": np.array([1, 0, 3, 1])},
            r"codes must be 0 \(censored\) to 2, but row 2 \(subject c\) has '3'",
        ),
        ({"event": np.array([1, 0, -1, 1])}, "codes must be 0"),
        ({"event": np.array([1.0, 0.0, 2.0, 1.0])}, "event must be int64, not float64"),
        (
            {"duration": np.array([1.0, 0.0, 1.0, 1.0])},
            r"duration must be > 0, but row 1 \(subject b\) has 0 \(1 such",
        ),
        (
            {"duration": np.array([1.0, np.nan, 1.0, 1.0])},
            "duration must be a finite number, but row 1",
        ),
        (
            {"entry": np.array([0.0, 300.0, 0.0, 0.0])},
            "entry must be >= 0 and before the duration, but row 1",
        ),
        ({"weight": np.array([1.0, 1.0, 0.0, 1.0])}, "weight must be > 0, but row 2"),
        ({"subject": np.array(["a", "b", "a", "d"])}, "a subject may appear once in a repeat"),
        ({"subject": np.array(["a", "", "c", "d"])}, "a subject needs a name, but row 1"),
        ({"fold": np.array([0, 0, -1, 1])}, "fold counts from 0"),
        ({"risk_score": np.full((4, 2), np.inf)}, "risk_score must be a finite number, but row 0"),
        ({"risk_score": np.zeros(4)}, r"risk_score must have the shape \(4, 2\), not \(4,\)"),
        ({"risk_score": np.zeros((4, 2), np.float32)}, "risk_score must be float64, not float32"),
        (
            {"time_grid": np.array([100.0, 50.0, 365.25])},
            "time grid must be positive and increasing",
        ),
        (
            {"time_grid": np.array([100.0, 200.0, 300.0])},
            r"must end at the horizon 365\.25, not at 300",
        ),
        ({"causes": ("death", "death")}, "different names of causes"),
    ],
)
def test_impossible_tables_are_refused_in_one_line(changes: dict[str, Any], message: str) -> None:
    """Every refusal names what was expected, what came and where."""
    with pytest.raises(DataError, match=message) as refusal:
        table(**changes)

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("row", "values", "message"),
    [
        (1, [0.1, 0.2, 1.2], r"must lie between 0 and 1, but row 1 \(subject b\) has 1\.2"),
        (2, [-0.1, 0.2, 0.3], "must lie between 0 and 1, but row 2"),
        (
            3,
            [0.1, 0.05, 0.3],
            r"must never decrease with time: its step, but row 3 \(subject d\) has -0\.05",
        ),
        (0, [0.1, 0.2, 0.81], r"must sum to at most 1, but row 0 \(subject a\) has 1\.01"),
        (0, [0.1, np.nan, 0.5], "cumulative_incidence must be a finite number, but row 0"),
    ],
)
def test_impossible_probabilities_are_refused(row: int, values: list[float], message: str) -> None:
    """A cumulative incidence lies in [0, 1], never decreases, and sums over causes to at most
    one.
    """
    incidence = table().cumulative_incidence.copy()
    incidence[row, 0] = values
    with pytest.raises(DataError, match=message):
        table(cumulative_incidence=incidence)


def test_a_subject_has_one_outcome_in_all_repeats() -> None:
    """Repeats differ in folds and predictions, not in what happened."""
    again = replace(table(), repeat=np.ones(4, dtype=np.int64))
    assert len(concatenate([table(), again])) == 8

    with pytest.raises(DataError, match="event of a subject must be the same in every repeat"):
        concatenate([table(), replace(again, event=np.array([1, 0, 0, 1]))])


def spoiled(path: Path, **columns: Any) -> Path:
    arrow = pq.read_table(path)
    for name, values in columns.items():
        at = arrow.column_names.index(name)
        arrow = (
            arrow.remove_column(at)
            if values is None
            else arrow.set_column(at, name, pa.array(values))
        )
    pq.write_table(arrow, path)
    return path


def test_files_that_are_no_table_are_refused_with_their_name(tmp_path: Path) -> None:
    """Missing, damaged, foreign, incomplete: one line each, with the path."""
    path = tmp_path / "p.parquet"
    with pytest.raises(DataError, match=r"p\.parquet: there is no such predictions table"):
        Predictions.read(path)
    path.write_bytes(b"not parquet at all")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        Predictions.read(path)
    pq.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(DataError, match="not of predictions"):
        Predictions.read(path)
    with pytest.raises(DataError, match=r"the column risk_score\.death is missing"):
        Predictions.read(spoiled(table().write(path), **{"risk_score.death": None}))
    with pytest.raises(
        DataError, match="the column duration must have a value in every row, but row 2 has none"
    ):
        Predictions.read(spoiled(table().write(path), duration=[1.0, 2.0, None, 3.0]))
    with pytest.raises(DataError, match=r"p\.parquet: event codes must be 0"):
        Predictions.read(spoiled(table().write(path), event=[1, 0, 9, 1]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "format 1 were expected, not 99"),
        ({"horizon": "late"}, "need a usable horizon, not 'late'"),
    ],
)
def test_wrong_facts_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """The metadata is checked as the columns are."""
    path = table().write(tmp_path / "p.parquet")
    arrow = pq.read_table(path)
    facts = json.loads(arrow.schema.metadata[b"survkit.predictions"]) | change
    pq.write_table(arrow.replace_schema_metadata({"survkit.predictions": json.dumps(facts)}), path)
    with pytest.raises(DataError, match=message):
        Predictions.read(path)
